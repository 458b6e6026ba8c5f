/**
 * Measures a restart with many topics, or with a topic of many partitions: the time until the
 * server listens, until the first call to a topic succeeds, until calls that concern all topics
 * (ListTopics, groups) do, the longest single call, the memory, and the stop.
 *
 *   node src/tools/restart.ts --topics 5000 --partitions 1
 *   node src/tools/restart.ts --topics 1 --partitions 10000 --server <another checkout> --server ..
 *
 * --append: append to every partition before the stop. The first of the servers fills the
 * directory; each server gets a copy of it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { GrpcLogApi } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import type { Broker } from "@logstore/core";
import { commandOf } from "../processes/server-process.ts";

const { values: flags } = parseArgs({
  options: {
    server: { type: "string", multiple: true, default: [fileURLToPath(new URL("../../..", import.meta.url))] },
    topics: { type: "string", default: "1000" },
    partitions: { type: "string", default: "1" },
    rounds: { type: "string", default: "1" },
    /** Append to every partition before the stop. */
    append: { type: "boolean", default: false },
  },
});
const [topics, partitions] = [Number(flags.topics), Number(flags.partitions)];
const names = Array.from({ length: topics }, (_, i) => `topic-${i}`);
const each = names.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
const AT_ONCE = 64;
/**
 * Shorter than the retry interval of a call to a topic that is being opened, so that each call is
 * one attempt.
 */
const ONE_TRY_MS = 200;

const directory = await mkdtemp(join(tmpdir(), "logstore-restart-"));
const filled = join(directory, "filled");
await fill();
console.log(`${topics} topics of ${partitions} partitions; s, MiB`);
console.log("| server | listens | first call | all calls | longest call, ms | resident | progress lines | stop |");
console.log("|---|---|---|---|---|---|---|---|");
try {
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const checkout of flags.server) await restart(checkout);
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  const core = pathToFileURL(join(flags.server[0]!, "packages/core/dist/index.js"));
  const { Broker: Its } = (await import(new URL(core, import.meta.url).href)) as { Broker: typeof Broker };
  const broker = await Its.open(filled, { durability: "written" });
  await eachAtOnce(names, (topic) => broker.createTopic({ topic, partitions }));
  await eachAtOnce(each, (where) => broker.produce({ ...where, batches: batch() }));
  await broker.close();
}

function batch(): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, "a record", 0);
  return builder.seal();
}

async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function restart(checkout: string): Promise<void> {
  const data = join(directory, "data");
  execFileSync("cp", ["-a", filled, data]);
  const args = [commandOf(checkout), "--data", data, "--port", "0", "--log-level", "info"];
  const begun = performance.now();
  const since = () => ((performance.now() - begun) / 1_000).toFixed(1);
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let progressLines = 0;
  createInterface({ input: server.stderr! }).on("line", (line) => {
    if (line.includes("opening topics")) progressLines++;
    else if (line.includes('"level":"error"')) console.error(line);
  });
  const address = await addressOf(server);
  const listens = since();
  const api = new GrpcLogApi(address, { timeoutMs: ONE_TRY_MS });
  let longestMs = 0;
  const untilAnswered = async (call: () => Promise<unknown>) => {
    for (;;) {
      const called = performance.now();
      const isAnswered = await call().then(
        () => true,
        (error) => {
          if (error.code !== "UNAVAILABLE") throw error;
          return false;
        },
      );
      longestMs = Math.max(longestMs, performance.now() - called);
      if (isAnswered) return;
      await sleep(20);
    }
  };
  await untilAnswered(() => api.describeTopic("topic-0"));
  const first = since();
  await untilAnswered(() => api.listTopics());
  await untilAnswered(() => api.listGroups());
  const all = since();
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  const resident = Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
  api.close();
  if (flags.append) await appendToEach(address);
  const stopping = performance.now();
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  await exited;
  const stopS = ((performance.now() - stopping) / 1_000).toFixed(1);
  console.log(
    `| ${checkout} | ${listens} | ${first} | ${all} | ${Math.round(longestMs)} | ${resident} | ${progressLines} | ${stopS} |`,
  );
  await rm(data, { recursive: true, force: true });
}

async function appendToEach(address: string): Promise<void> {
  const api = new GrpcLogApi(address);
  await eachAtOnce(each, (where) => api.produce({ ...where, batches: batch(), durability: "written" }));
  api.close();
}

async function addressOf(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout! })) {
    const address = /[^ ]+:\d+$/.exec(line)?.[0];
    if (address !== undefined) return address;
  }
  throw new Error("the server ended before it listened");
}
