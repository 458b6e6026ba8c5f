/**
 * Measures the effect of a slow disk on topics on a fast one: the latency of sequential appends to
 * a partition of the fast topic, alone and during appends to partitions of a slow topic; then the
 * rate of append groups of each slow partition. The slow disk is simulated by delaying every sync
 * of the slow topic's files, with a library that is preloaded before libc: only on Linux with a C
 * compiler.
 *
 *   node src/tools/slow-disk.ts --slow-ms 400 --partitions 4
 *   node src/tools/slow-disk.ts --slow-ms 5 --partitions 64 --server <another checkout> --server ..
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect, GrpcLogApi } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { ServerProcess } from "../processes/server-process.ts";
import { percentile } from "../statistics/spread.ts";

const { values: flags } = parseArgs({
  options: {
    server: { type: "string", multiple: true, default: [fileURLToPath(new URL("../../..", import.meta.url))] },
    "slow-ms": { type: "string", default: "400" },
    partitions: { type: "string", default: "4" },
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "2" },
  },
});
const partitions = Number(flags.partitions);
const seconds = Number(flags.seconds);

console.log(`${partitions} partitions, whose syncs take ${flags["slow-ms"]} ms longer`);
console.log(
  "| server | fast topic alone: p50, p99, ms | beside the slow one: p50, p99 | groups a second of a slow partition | server, processors |",
);
console.log("|---|---|---|---|---|");
const library = await compile();
for (let round = 0; round < Number(flags.rounds); round++) {
  for (const checkout of flags.server) await measure(checkout);
}
await rm(library, { force: true });

async function measure(checkout: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "logstore-slow-"));
  try {
    const slowPath = await makeTopics(directory, checkout);
    const environment = { LD_PRELOAD: library, SLOW_PATH: slowPath, SLOW_MS: flags["slow-ms"] };
    const server = await ServerProcess.start(directory, { checkout, environment });
    const [fast, slow] = [new GrpcLogApi(server.address), new GrpcLogApi(server.address)];
    const alone = await appends(fast, "fast", 0, until(seconds));
    const [cpuMs, begun, end] = [await server.cpuMs(), performance.now(), until(seconds + 1)];
    const times = Array.from({ length: partitions }, (_, partition) => appends(slow, "slow", partition, end));
    const beside = await appends(fast, "fast", 0, end);
    const groups = (await Promise.all(times)).map(({ length }) => length / (seconds + 1));
    const busy = ((await server.cpuMs()) - cpuMs) / (performance.now() - begun);
    const each = `${Math.min(...groups).toFixed(1)}–${Math.max(...groups).toFixed(1)}`;
    console.log(`| ${checkout} | ${ms(alone)} | ${ms(beside)} | ${each} | ${busy.toFixed(2)} |`);
    fast.close();
    slow.close();
    await server.stop();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Resolves to the name of the slow topic's directory. */
async function makeTopics(directory: string, checkout: string): Promise<string> {
  const server = await ServerProcess.start(directory, { checkout });
  const client = connect(server.address);
  await client.createTopic("fast", { partitions: 1, durability: "flushed" });
  await client.createTopic("slow", { partitions, durability: "flushed" });
  await client.close();
  await server.stop();
  for (const id of await readdir(join(directory, "topics"))) {
    const { topic } = JSON.parse(await readFile(join(directory, "topics", id, "topic.json"), "utf8"));
    if (topic === "slow") return id;
  }
  throw new Error("the slow topic has no directory");
}

/**
 * Appends sequentially, so that each append is a group of its own. Returns the durations, in ms.
 */
async function appends(api: GrpcLogApi, topic: string, partition: number, isOver: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (!isOver()) {
    const builder = new RecordBatchBuilder({ headroomBytes: PRODUCE_HEADROOM_BYTES });
    builder.append(null, "a record", 0);
    const begun = performance.now();
    await api.produce({ topic, partition, batches: builder.seal(), headroomBytes: PRODUCE_HEADROOM_BYTES });
    times.push(performance.now() - begun);
  }
  return times.slice(1); // the first one creates the partition's files
}

function until(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1_000;
  return () => performance.now() > end;
}

function ms(times: readonly number[]): string {
  return `${percentile(times, 0.5).toFixed(1)}, ${percentile(times, 0.99).toFixed(1)}`;
}

async function compile(): Promise<string> {
  const source = fileURLToPath(new URL("slow-sync.c", import.meta.url));
  const library = join(await mkdtemp(join(tmpdir(), "logstore-slow-sync-")), "slow-sync.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], { stdio: "inherit" });
  return library;
}
