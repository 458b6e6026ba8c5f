/** Two brokers on one catalogue and map, each of which sees what the other one changes. */
import { connect, type LogClient, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { MemoryEngine, MemoryHome } from "@logstore/core/engine";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { sealedBatch } from "../bytes.ts";
import { eventually } from "../eventually.ts";
import { followed, wrapped } from "./wrapped-engine.ts";

let a: Broker;
let b: Broker;
let clientOfA: LogClient;
let clientOfB: LogClient;

let home: MemoryHome;

beforeEach(async () => {
  home = new MemoryHome();
  a = await Broker.openOn(new MemoryEngine(home, "a"));
  b = await Broker.openOn(wrapped(new MemoryEngine(home, "b"), { log: followed }));
  clientOfA = connect(a);
  clientOfB = connect(b);
  onTestFinished(async () => {
    for (const each of [clientOfA, clientOfB, a, b]) await each.close();
  });
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error) => error.code,
  );

async function valuesIn(client: LogClient): Promise<string[]> {
  const reader = client.reader({ topics: ["t"], until: "latest", value: text() });
  return (await Array.fromAsync(reader)).map(({ value }) => value);
}

test("a topic of another broker is there at once: described, listed, produced to, read, fetched, looked up", async () => {
  const { topicId } = await a.createTopic({ topic: "t", partitions: 2 });
  expect(await b.describeTopic("t")).toMatchObject({ topicId });
  expect(await b.listTopics()).toEqual([{ topic: "t", topicId, partitionCount: 2 }]);
  await a.createTopic({ topic: "u", partitions: 1 });
  const batches = sealedBatch(["x"]);
  expect(await b.produce({ topic: "u", partition: 0, batches })).toMatchObject({ baseOffset: 0 });
  await clientOfA.append("t", 0, [{ value: "a" }]);
  expect(await valuesIn(clientOfB)).toEqual(["a"]);
  await clientOfA.append("t", 0, [{ value: "b" }]);
  expect(await b.fetch({ topic: "t", partition: 0, from: 1 })).toMatchObject({ nextOffset: 2, highWatermark: 2 });
  await clientOfA.append("t", 0, [{ value: "c" }]);
  const [latest] = await b.listOffsets({ topic: "t", partitions: [{ partition: 0, position: "latest" }] });
  expect(latest).toMatchObject({ offset: 3, logEndOffset: 3 });
  expect(await b.deleteRecords("t", 0, 2)).toBe(2);
  expect(await valuesIn(clientOfA)).toEqual(["c"]);
});

test("a topic that another broker creates, alters, deletes or creates again is followed", async () => {
  expect(await codeOf(b.describeTopic("t"))).toBe("UNKNOWN_TOPIC");
  await a.createTopic({ topic: "t", partitions: 1 });
  expect(await codeOf(b.createTopic({ topic: "t", partitions: 1 }))).toBe("TOPIC_EXISTS");
  const { topicId } = await b.createTopic({ topic: "t", partitions: 1, ifNotExists: true });
  expect(await codeOf(b.createTopic({ topic: "t", partitions: 2, ifNotExists: true }))).toBe("TOPIC_EXISTS");
  await Promise.all([a.alterTopicConfig("t", { maxBatchBytes: 200 }), b.alterTopicConfig("t", { retentionMs: 1e9 })]);
  for (const broker of [a, b]) expect(broker.topicConfig("t")).toEqual({ maxBatchBytes: 200, retentionMs: 1e9 });
  const long = () => sealedBatch(["x".repeat(300)]);
  expect(await codeOf(b.produce({ topic: "t", partition: 0, batches: long() }))).toBe("BATCH_TOO_LARGE");
  await a.deleteTopic("t");
  const again = await a.createTopic({ topic: "t", partitions: 3 });
  expect((await b.describeTopic("t")).topicId).toBe(again.topicId);
  const old = { topic: "t", topicId, partition: 0, batches: long() };
  expect(await codeOf(b.produce(old))).toBe("INCONSISTENT_TOPIC_ID");
  expect(await b.topicHealth("t")).toBe("serving");
  await b.deleteTopic("t", { topicId: again.topicId });
  await eventually(async () => (await codeOf(a.describeTopic("t"))) === "UNKNOWN_TOPIC");
  expect(await a.listTopics()).toEqual([]);
});

test("of many brokers that ensure a topic at the same time, all get the same one", async () => {
  const ensured = await Promise.all(
    [clientOfA, clientOfB, clientOfA].map((client) => client.ensureTopic("t", { partitions: 4 })),
  );
  expect(new Set(ensured.map(({ topicId }) => topicId)).size).toBe(1);
});

test("a reader of a topic that another broker deletes is told", async () => {
  await a.createTopic({ topic: "t", partitions: 1 });
  await b.describeTopic("t");
  const events = b.consume({ topic: "t", partition: 0 });
  await events.next();
  const next = events.next();
  await a.deleteTopic("t");
  expect(await codeOf(next)).toBe("CLOSED");
});

test("commits, lag and resets of a group see what another broker has appended", async () => {
  await a.createTopic({ topic: "t", partitions: 1 });
  const commit = (offset: number) => b.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset }] });
  for (let end = 1; end <= 3; end++) {
    await clientOfA.append("t", 0, [{ value: `${end}` }]);
    expect((await commit(end))[0]!.error).toBeUndefined();
  }
  expect((await commit(4))[0]!.error?.code).toBe("OFFSET_OUT_OF_RANGE");
  await clientOfA.append("t", 0, [{ value: "4" }, { value: "5" }]);
  expect((await b.describeGroup("g")).partitions).toMatchObject([{ committedOffset: 3, logEndOffset: 5, lag: 2 }]);
  expect(await b.resetOffsets({ group: "g", to: "latest" })).toMatchObject([{ offset: 5 }]);
  await clientOfA.append("t", 0, [{ value: "6" }]);
  expect(await b.resetOffsets({ group: "g", to: 6 })).toMatchObject([{ offset: 6 }]);
});

test("a broker that is opened again keeps commits at offsets that another broker has appended", async () => {
  await a.createTopic({ topic: "t", partitions: 1 });
  await clientOfA.append("t", 0, [{ value: "1" }, { value: "2" }]);
  await b.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 2 }] });
  await b.close();
  b = await Broker.openOn(wrapped(new MemoryEngine(home, "b"), { log: followed }));
  expect(await b.fetchOffsets("g")).toMatchObject([{ offset: 2 }]);
});

test("members are assigned a topic that another broker creates, and forget one that it deletes", async () => {
  const seen: string[] = [];
  const consumer = clientOfB.consumer({ group: "g", topics: ["t"], value: text(), commitIntervalMs: 5 });
  const reading = (async () => {
    for await (const { value } of consumer) seen.push(value);
  })();
  await a.createTopic({ topic: "t", partitions: 2 });
  await clientOfB.append("t", 1, [{ value: "x" }]);
  await eventually(() => seen.length === 1);
  await eventually(async () => (await b.fetchOffsets("g").catch(() => [])).some(({ offset }) => offset === 1));
  await a.deleteTopic("t");
  await eventually(async () => (await b.fetchOffsets("g")).length === 0);
  await eventually(() => consumer.assignment.length === 0);
  await consumer.close();
  await reading.catch(() => {});
});

test("producer ids of two brokers on one map are different", async () => {
  const ids = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? a : b).allocateProducerId()));
  expect(new Set(ids).size).toBe(40);
});
