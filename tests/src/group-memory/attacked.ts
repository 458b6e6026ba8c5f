/** A server with a small heap under attack, and after a restart. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "@logstore/client";
import { Stranger } from "../hostile/stranger.ts";
import { ServerProcess } from "../server-process.ts";
import { attack, type Tally } from "./attack.ts";

export interface Attacked {
  readonly tally: Tally;
  readonly survived: boolean;
  /** NaN if the server has exited. */
  readonly residentMebibytes: Readonly<Record<"before" | "after" | "restarted", number>>;
  readonly groupCounts: Readonly<Record<"after" | "restarted", number>>;
  readonly restartMs: number;
}

export interface AttackedOptions {
  /** Number of calls of each kind. */
  readonly calls: number;
  readonly heapMebibytes: number;
  /** The command of another build. */
  readonly bin?: string | undefined;
}

const ACCESS = {
  rules: [{ principals: ["anonymous"], operations: ["*"], topics: ["*"], groups: ["*"] }],
  quotas: [{ principals: ["anonymous"], produceBytesPerSecond: 1000, consumeBytesPerSecond: 1000 }],
};

export async function attacked(directory: string, options: AttackedOptions): Promise<Attacked> {
  const config = join(directory, "logstore.json");
  const data = join(directory, "data");
  writeFileSync(config, JSON.stringify({ data, access: ACCESS }));
  const env = { NODE_OPTIONS: `--max-old-space-size=${options.heapMebibytes}` };
  const start = () => ServerProcess.start(data, { args: ["--config", config], bin: options.bin, env });
  let server = await start();
  try {
    const before = await residentMebibytes(server);
    const stranger = new Stranger(server.address);
    const tally = await attack(stranger, options.calls, () => server.isAlive);
    stranger.close();
    const survived = server.isAlive;
    const after = survived ? await residentMebibytes(server) : Number.NaN;
    const groupsAfter = survived ? await groupCount(server) : Number.NaN;
    await server.stop();
    const begun = performance.now();
    server = await start();
    const restartMs = Math.round(performance.now() - begun);
    const groupCounts = { after: groupsAfter, restarted: await groupCount(server) };
    const restarted = await residentMebibytes(server);
    return { tally, survived, residentMebibytes: { before, after, restarted }, groupCounts, restartMs };
  } finally {
    await server.stop();
  }
}

async function residentMebibytes(server: ServerProcess): Promise<number> {
  return Math.round((await server.residentBytes()) / 1024 / 1024);
}

async function groupCount({ address }: ServerProcess): Promise<number> {
  await using client = connect(address);
  return (await client.listGroups()).length;
}
