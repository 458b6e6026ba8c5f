/**
 * One consumer that reads every partition of a wide topic up to its end, and continues there.
 * Checks each record, and reports the time taken and the resident memory of the reader (this
 * process) and of the server. Linux only.
 *
 *   node src/wide-topic.ts --partitions 10000 --records 3 --bytes 20000 --seed 1
 *
 * --pause-ms: the reader pauses that long after each hundredth record of the backlog. --group: it
 * is a member of a group.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connect } from "@logstore/client";
import { ServerProcess } from "./server-process.ts";

const { values: flags } = parseArgs({
  options: {
    partitions: { type: "string", default: "10000" },
    records: { type: "string", default: "3" },
    bytes: { type: "string", default: "20000" },
    seed: { type: "string", default: String(randomBytes(4).readUInt32LE()) },
    "pause-ms": { type: "string", default: "0" },
    group: { type: "boolean", default: false },
  },
});
const [count, perPartition, bytes, seed] = [flags.partitions, flags.records, flags.bytes, flags.seed].map(Number) as [
  number,
  number,
  number,
  number,
];
const pauseMs = Number(flags["pause-ms"]);
const MIB = 1024 * 1024;
const partitions = Array.from({ length: count }, (_, partition) => partition);

const directory = await mkdtemp(join(tmpdir(), "logstore-wide-"));
const server = await ServerProcess.start(directory);
const begun = performance.now();
let mostHere = 0;
let mostThere = 0;
const sampler = setInterval(async () => {
  mostHere = Math.max(mostHere, await ownBytes());
  mostThere = Math.max(mostThere, await server.residentBytes().catch(() => 0));
}, 100);

console.log(`${count} partitions, ${perPartition} records of ${bytes} bytes in each, seed ${seed}`);
try {
  await fill();
  await report("filled");
  await read();
} finally {
  clearInterval(sampler);
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}

async function fill(): Promise<void> {
  const client = connect(server.address);
  await client.createTopic("wide", { partitions: count, durability: "written" });
  await report("created");
  // One batch each, as in a partition with little traffic.
  const producer = client.producer("wide");
  for (let i = 0; i < perPartition; i++) {
    await producer.sendMany(partitions.map((partition) => ({ partition, value: expectedValue(partition, i) })));
  }
  await client.close();
}

async function read(): Promise<void> {
  const client = connect(server.address);
  const next = new Map<number, number>();
  const consumer = flags.group
    ? client.consumer({ group: "readers", topics: ["wide"] })
    : client.reader({ assign: { wide: partitions } });
  const total = count * perPartition;
  let seen = 0;
  let tailed = 0;
  let sentAt = 0;
  for await (const { partition, offset, value } of consumer) {
    const expected = next.get(partition) ?? 0;
    if (offset !== expected) throw new Error(`partition ${partition}: offset ${offset} came, ${expected} was to come`);
    if (!expectedValue(partition, offset).equals(value))
      throw new Error(`partition ${partition}: record ${offset} is wrong`);
    next.set(partition, offset + 1);
    if (++seen === 1) await report("first record");
    if (pauseMs > 0 && seen % 100 === 0) await sleep(pauseMs);
    if (seen === total) {
      await report("all records");
      const topics = performance.now();
      await client.listTopics();
      console.log(`  listTopics on the same client: ${Math.round(performance.now() - topics)} ms`);
      sentAt = performance.now();
      const tail = partitions.map((partition) => ({ partition, value: expectedValue(partition, perPartition) }));
      client.producer("wide").sendMany(tail).catch(console.error);
    }
    if (seen > total && ++tailed === count) break;
  }
  console.log(`  one more record in each partition, sent and received: ${Math.round(performance.now() - sentAt)} ms`);
  await report("tailed");
  await client.close();
}

function expectedValue(partition: number, offset: number): Buffer {
  return Buffer.alloc(bytes, `${seed}/${partition}/${offset};`);
}

async function report(what: string): Promise<void> {
  const [here, there] = [await ownBytes(), await server.residentBytes()];
  const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
  console.log(
    `${((performance.now() - begun) / 1000).toFixed(1)} s ${what}: reader ${mib(here)} (most ${mib(Math.max(mostHere, here))}), ` +
      `server ${mib(there)} (most ${mib(Math.max(mostThere, there))})`,
  );
  mostHere = 0;
  mostThere = 0;
}

async function ownBytes(): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1]) * 1024;
}
