/**
 * Measures `logstore export a | logstore import b` beside a client program that does the same
 * work, reading topic `a` and sending its records to another, in the same run and against the same
 * server: wall time, processor time and the most memory of each process.
 *
 *   node src/tools/transfer.ts --records 1000000
 *   node src/tools/transfer.ts --records 10000000 --value-bytes 100 --partitions 4
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect } from "@logstore/client";
import { programFile } from "../processes/run-program.ts";
import { ServerProcess } from "../processes/server-process.ts";

/** Linux reports a process's time in ticks of this length. */
const TICK_MS = 10;
const LOOK_INTERVAL_MS = 20;

const { values: flags } = parseArgs({
  options: {
    records: { type: "string", default: "1000000" },
    "value-bytes": { type: "string", default: "100" },
    partitions: { type: "string", default: "4" },
    directory: { type: "string", default: tmpdir() },
  },
});
const records = Number(flags.records);
const command = fileURLToPath(new URL("dist/bin.cjs", import.meta.resolve("@logstore/cli/package.json")));

const directory = await mkdtemp(join(flags.directory, "logstore-transfer-"));
const server = await ServerProcess.start(directory);
try {
  await fill();
  const program = await measured("client program", () => [
    spawn(process.execPath, [programFile("copy-topic"), server.address, "a", "b"], { stdio: "inherit" }),
  ]);
  const pipe = await measured("export | import", () => {
    const place = ["--server", server.address, "--quiet"];
    const from = spawn(process.execPath, [command, "export", "a", ...place], { stdio: ["ignore", "pipe", "inherit"] });
    const into = spawn(process.execPath, [command, "import", "c", "--create", flags.partitions, ...place], {
      stdio: [from.stdout, "ignore", "inherit"], // a pipe between the two, which this process does not touch
    });
    from.stdout.destroy();
    return [from, into];
  });
  await check("b");
  await check("c");
  console.log(`export | import has ${(program.ms / pipe.ms).toFixed(2)} of the client program's speed`);
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  const client = connect(server.address);
  await client.createTopic("a", { partitions: Number(flags.partitions) });
  const filling = "x".repeat(Math.max(0, Number(flags["value-bytes"]) - 40));
  await client.producer("a").sendMany(
    (function* () {
      for (let i = 0; i < records; i++) {
        yield { key: `user-${i % 10_000}`, value: `{"id":${i},"page":"/products/${i % 977}","text":"${filling}"}` };
      }
    })(),
  );
  await client.close();
}

async function check(topic: string): Promise<void> {
  const client = connect(server.address);
  const { partitions } = await client.describeTopic(topic);
  await client.close();
  const there = partitions.reduce((sum, { highWatermark }) => sum + highWatermark, 0);
  if (there !== records) throw new Error(`${topic} has ${there} records, not ${records}`);
}

async function measured(name: string, start: () => ChildProcess[]): Promise<{ readonly ms: number }> {
  const serverBefore = await server.cpuMs();
  const begun = performance.now();
  const watched = start().map(watch);
  const uses = await Promise.all(watched);
  const ms = performance.now() - begun;
  const serverMs = (await server.cpuMs()) - serverBefore;
  const each = uses.map(
    ({ cpuMs, peakBytes }) => `${(cpuMs / 1000).toFixed(1)} s, ${Math.round(peakBytes / 2 ** 20)} MiB`,
  );
  console.log(
    `${name}: ${(ms / 1000).toFixed(1)} s, ${Math.round((records / ms) * 1000)} records/s; processor and memory of each process: ${each.join(" | ")}; server ${(serverMs / 1000).toFixed(1)} s`,
  );
  return { ms };
}

/** Processor time and the most memory until the process ends; Linux only. */
async function watch(child: ChildProcess): Promise<{ readonly cpuMs: number; readonly peakBytes: number }> {
  let cpuMs = 0;
  let peakBytes = 0;
  const look = () => {
    try {
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
      cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peakBytes = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? peakBytes / 1024) * 1024;
    } catch {
      // It has just ended.
    }
  };
  const timer = setInterval(look, LOOK_INTERVAL_MS);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`a process ended with ${code}`);
  return { cpuMs, peakBytes };
}
