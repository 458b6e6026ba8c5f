/**
 * Measures how long other clients wait while members of many groups connect, and while they
 * reconnect after a restart: a separate process makes a small call every 10 ms.
 *
 *   node src/group-pings/measure.ts --members 500 --groups 2000 --build <checkout> --build ''
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { GrpcLogApi } from "@logstore/client";
import { ServerProcess } from "../server-process.ts";

const { values: flags } = parseArgs({
  options: {
    /** Number of members that connect at once. */
    members: { type: "string", default: "500" },
    /** Number of groups when the server restarts. */
    groups: { type: "string", default: "2000" },
    /** Root of a built checkout whose server and client are measured; empty for this one. */
    build: { type: "string", multiple: true, default: [""] },
  },
});
/** Members per client, because earlier releases do not allow more streams. */
const MEMBERS_A_CLIENT = 500;
const OWN_BUILD = fileURLToPath(new URL("../../..", import.meta.url));
const [members, groups] = [Number(flags.members), Number(flags.groups)];

console.log("| server | | took, s | ping p50, ms | p99 | most | pings |");
console.log("|---|---|---|---|---|---|---|");
for (const build of flags.build) await measure(build || OWN_BUILD);

async function measure(build: string): Promise<void> {
  const bin = ["bin.cjs", "bin.js"].map((name) => join(build, "packages/server-grpc/dist", name)).find(existsSync);
  const directory = await mkdtemp(join(tmpdir(), "logstore-pings-"));
  let server = await ServerProcess.start(directory, { bin });
  const { address, port } = server;
  const children: ChildProcess[] = [];
  try {
    const api = new GrpcLogApi(address, { timeoutMs: 60_000 });
    await api.createTopic({ topic: "t", partitions: 1 });
    await step(build, `${members} members connect`, address, async () => {
      await begin(children, build, address, 0, members);
    });
    await begin(children, build, address, members, groups);
    await server.stop();

    server = await ServerProcess.start(directory, { bin, port });
    await step(build, `${groups} come back after a restart`, address, async () => {
      await sleep(15_000);
    });
    api.close();
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Resolves when all members have their partition. */
async function begin(
  children: ChildProcess[],
  build: string,
  address: string,
  from: number,
  to: number,
): Promise<void> {
  const program = fileURLToPath(new URL("members.ts", import.meta.url));
  const begun: ChildProcess[] = [];
  for (let i = from; i < to; i += MEMBERS_A_CLIENT) {
    begun.push(fork(program, [build, address, "t", String(i), String(Math.min(i + MEMBERS_A_CLIENT, to))]));
  }
  children.push(...begun);
  await Promise.all(begun.map((child) => once(child, "message")));
}

async function step(build: string, name: string, address: string, work: () => Promise<void>): Promise<void> {
  const api = new GrpcLogApi(address, { timeoutMs: 60_000 });
  await api.describeTopic("t");
  const times: number[] = [];
  let isOver = false;
  const pinging = (async () => {
    while (!isOver) {
      const begun = performance.now();
      await api.describeTopic("t");
      times.push(performance.now() - begun);
      await sleep(10);
    }
  })();
  const begun = performance.now();
  await work();
  const took = (performance.now() - begun) / 1_000;
  isOver = true;
  await pinging;
  api.close();
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))]!.toFixed(1);
  console.log(`| ${build} | ${name} | ${took.toFixed(1)} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${times.length} |`);
}
