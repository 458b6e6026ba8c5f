/** Appends and commits that reach their owner by two ways: nothing is stored twice, or lost. */
import { GrpcLogApi, type LogClient, text } from "@logstore/client";
import { expect, onTestFinished, test } from "vitest";
import { sealedBatch } from "../bytes.ts";
import { MemoryCluster } from "./memory-cluster.ts";

const PATIENCE = { timeout: 60_000, interval: 10 };
const NOBODY = "127.0.0.1:1";

async function valuesOf(client: LogClient): Promise<string[]> {
  const reader = client.reader({ assign: { t: [0] }, until: "latest", value: text() });
  return (await Array.fromAsync(reader)).map(({ value }) => value!);
}

function apiOf(cluster: MemoryCluster, name: string): GrpcLogApi {
  const api = new GrpcLogApi(cluster.member(name).address, { onEvent: () => {} });
  onTestFinished(() => api.close());
  return api;
}

test("a batch that arrives by two ways is stored once", async () => {
  const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
  const apis = ["a", "b", "c"].map((name) => apiOf(cluster, name));
  for (const sequence of [0, 2, 4]) {
    const stamp = { producerId: 7, producerEpoch: 0, baseSequence: sequence };
    const request = { topic: "t", partition: 0, batches: sealedBatch(["x", "y"], stamp) };
    const acks = await Promise.all(apis.map((api) => api.produce(request)));
    expect(acks.map(({ baseOffset }) => baseOffset)).toEqual([sequence, sequence, sequence]);
  }
  // One that was on its way for so long that its producer has gone on.
  const late = {
    topic: "t",
    partition: 0,
    batches: sealedBatch(["x", "y"], { producerId: 7, producerEpoch: 0, baseSequence: 0 }),
  };
  for (let sequence = 6; sequence < 20; sequence += 2) {
    const stamp = { producerId: 7, producerEpoch: 0, baseSequence: sequence };
    await apis[1]!.produce({ topic: "t", partition: 0, batches: sealedBatch(["x", "y"], stamp) });
  }
  await expect(apis[0]!.produce(late)).rejects.toMatchObject({ code: "OUT_OF_ORDER_SEQUENCE" });
  const [latest] = await apis[1]!.listOffsets({ topic: "t", partitions: [{ partition: 0, position: "latest" }] });
  expect(latest!.offset).toBe(20);
});

test("records are stored once when a seed dies before it has passed the answers on", async () => {
  const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
  cluster.pretend("b", NOBODY); // so that seeds pass the appends on
  const client = cluster.client(["a", "c"]);
  const producer = client.producer("t", { batchBytes: 100 });
  await producer.send({ value: "v0", partition: 0 });
  const b = cluster.member("b");
  const gate = Promise.withResolvers<void>();
  let stored = 0;
  b.afterProduce = () => {
    stored++;
    return gate.promise;
  };
  const sent = ["v0"];
  const acks: Promise<unknown>[] = [];
  for (let i = 1; i <= 50; i++) acks.push(producer.send({ value: sent[sent.push(`v${i}`) - 1]!, partition: 0 }));
  await expect.poll(() => stored, PATIENCE).toBe(5);
  await cluster.member("a").stop();
  b.afterProduce = () => {};
  gate.resolve();
  await Promise.all(acks);
  expect(await valuesOf(client)).toEqual(sent);
});

test("records are stored once when an owner's answers are lost and another one takes over", async () => {
  const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
  const client = cluster.client(["a"]);
  const producer = client.producer("t", { batchBytes: 100 });
  await producer.send({ value: "v0", partition: 0 });
  const b = cluster.member("b");
  let stored = 0;
  b.afterProduce = () => {
    stored++;
    return new Promise(() => {});
  };
  const sent = ["v0"];
  const acks: Promise<unknown>[] = [];
  for (let i = 1; i <= 50; i++) acks.push(producer.send({ value: sent[sent.push(`v${i}`) - 1]!, partition: 0 }));
  await expect.poll(() => stored, PATIENCE).toBe(5);
  cluster.move(0, "c");
  await b.stop();
  await Promise.all(acks);
  expect(await valuesOf(client)).toEqual(sent);
});

test("a topic that was deleted and made anew gets what is sent then, wherever its owner is", async () => {
  const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
  const client = cluster.client(["a"]);
  const producer = client.producer("t", { value: text() });
  const old = client.reader({ topics: ["t"], value: text() });
  for (let i = 0; i < 3; i++) await producer.send({ value: "old", partition: 0 });
  const iterator = old[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toMatchObject({ value: "old" });
  await client.deleteTopic("t");
  cluster.move(0, "c");
  await client.createTopic("t", { partitions: 1 });
  // The first ones may be refused: they were meant for the deleted topic.
  await producer.send({ value: "new", partition: 0 }).catch(() => {});
  await producer.send({ value: "new", partition: 0 });
  const values = await valuesOf(client);
  expect(new Set(values)).toEqual(new Set(["new"]));
  const fresh = cluster.client(["b"]);
  await fresh.append("t", 0, [{ value: "last" }]);
  expect((await valuesOf(client)).at(-1)).toBe("last");
});

test("commits survive a coordinator that moves away and back at once", async () => {
  const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
  const client = cluster.client(["a"]);
  const producer = client.producer("t");
  const consumer = client.consumer({ group: "g", topics: ["t"], value: text(), commitIntervalMs: 5 });
  const seen = new Set<string>();
  const reading = (async () => {
    for await (const { value } of consumer) if (seen.add(value!) && value === "v29") return;
  })();
  const committed: number[] = [];
  const api = apiOf(cluster, "a");
  for (let i = 0; i < 30; i++) {
    await producer.send({ value: `v${i}`, partition: 0 });
    if (i % 10 === 5) for (const name of ["c", "b"]) cluster.moveGroups(name);
    if (i % 10 === 9) cluster.moveGroups(i === 9 ? "c" : "b");
    const [one] = await api.fetchOffsets("g").catch(() => []);
    if (one !== undefined) committed.push(one.offset);
  }
  await reading;
  await consumer.close();
  expect(seen.size).toBe(30);
  expect(committed).toEqual(committed.toSorted((x, y) => x - y));
  expect((await client.describeGroup("g")).partitions).toMatchObject([{ committedOffset: 29 }]);
});

test("an append above the usual limit is not overtaken, whether or not it is passed on", async () => {
  const maxBatchBytes = 32 * 1024 * 1024;
  const cluster = await MemoryCluster.start(["a", "b"], ["b", "b"], { serve: () => ({ maxBatchBytes }) });
  const half = sealedBatch([new Uint8Array(9 * 1024 * 1024)]);
  const large = Buffer.concat([half, half]);
  for (const [partition, name] of ["a", "b"].entries()) {
    const api = apiOf(cluster, name);
    const appends = [large, sealedBatch(["small"])].map((batches) => api.produce({ topic: "t", partition, batches }));
    expect((await Promise.all(appends)).map(({ baseOffset }) => baseOffset)).toEqual([0, 2]);
  }
});
