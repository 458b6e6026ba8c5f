/**
 * Processor time per record of each way to write and read, with the packages of the given checkout.
 */
import { pathToFileURL } from "node:url";
import type { Producer } from "@logstore/client";

const [checkout, target, recordCount, runCount, only] = process.argv.slice(2);
const records = Number(recordCount);
const packageOf = (name: string) => import(`${pathToFileURL(checkout!).href}/packages/${name}/dist/index.js`);

// From the given checkout, with the types of this one.
const { connect }: typeof import("@logstore/client") = await packageOf("client");
const { Broker }: typeof import("@logstore/core") = await packageOf("core");
const broker = target === ":memory:" ? await Broker.open(":memory:") : undefined;
const client = connect(broker ?? target!);

const value = Buffer.alloc(100, "v");
const keys = Array.from({ length: 100 }, (_, i) => `key-${i}`);
const recordAt = (i: number) => ({ key: keys[i % keys.length], value });
const config = { partitions: 1, durability: "written" } as const;

const found: Record<string, number[]> = {};
let topics = 0;
let groups = 0;

async function timed(way: string, work: () => Promise<void>): Promise<void> {
  if (only !== "" && only !== way) return;
  globalThis.gc?.();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  found[way] = [...(found[way] ?? []), ((user + system) * 1_000) / records];
}

async function writing(way: string, write: (producer: Producer) => Promise<void>): Promise<void> {
  const topic = `${way}-${topics++}`;
  await client.createTopic(topic, config);
  const producer = client.producer(topic);
  await producer.send(recordAt(0)); // learns the topic and opens the connection
  await timed(way, async () => {
    await write(producer);
    await producer.flush();
  });
  await producer.close();
  await client.deleteTopic(topic);
}

async function round(): Promise<void> {
  await writing("send", async (producer) => {
    for (let i = 0; i < records; i += 1_000) {
      const acks: Promise<unknown>[] = [];
      for (let j = 0; j < 1_000; j++) acks.push(producer.send(recordAt(j)));
      await Promise.all(acks);
    }
  });
  await writing("sendMany", async (producer) => {
    await producer.sendMany(
      (function* () {
        for (let i = 0; i < records; i++) yield recordAt(i);
      })(),
    );
  });
  await timed("loop", async () => {
    let count = 0;
    for await (const _ of client.reader({ assign: { filled: [0] } })) if (++count === records) break;
  });
  await timed("batches", async () => {
    let count = 0;
    for await (const batch of client.reader({ assign: { filled: [0] } }).batches()) {
      for (const _ of batch) count++;
      if (count === records) break;
    }
  });
  await timed("group loop", async () => {
    let count = 0;
    for await (const _ of client.consumer({ group: `g-${groups++}`, topics: ["filled"] }))
      if (++count === records) break;
  });
  await timed("run", async () => {
    let count = 0;
    const over = new AbortController();
    await client.consumer({ group: `g-${groups++}`, topics: ["filled"] }).run({
      signal: over.signal,
      park: false,
      eachRecord() {
        if (++count === records) over.abort();
      },
    });
  });
}

await client.createTopic("filled", config);
const filler = client.producer("filled");
await filler.sendMany(Array.from({ length: records }, (_, i) => recordAt(i)));
await filler.close();
// Warm-up: the first runs are slow and are not counted.
for (let i = 0; i < 2; i++) await round();
for (const way of Object.keys(found)) found[way] = [];
for (let i = 0; i < Number(runCount); i++) await round();
await client.close();
await broker?.close();
console.log(JSON.stringify(found));
process.exit(0);
