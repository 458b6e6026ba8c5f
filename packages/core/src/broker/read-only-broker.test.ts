import { InvalidArgumentError, NotALogStoreError, UnknownTopicError } from "@logstore/codec";
import type { ConsumeEvent } from "@logstore/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sealed } from "../../test/records.js";
import { MemoryStorage } from "../storage/memory-storage.js";
import { Broker } from "./broker.js";
import { ReadOnlyBroker } from "./read-only-broker.js";

let storage: MemoryStorage;
let writer: Broker;
let reader: ReadOnlyBroker;

beforeEach(async () => {
  storage = new MemoryStorage();
  writer = await Broker.open("data", { storage });
  reader = await ReadOnlyBroker.open("data", { storage });
});

afterEach(async () => {
  await reader.close();
  await writer.close();
});

const append = (topic: string, ...values: string[]) => writer.produce({ topic, partition: 0, batches: sealed(values) });

test("topics, bounds and records are what the writer has acknowledged", async () => {
  expect(await reader.listTopics()).toEqual([]);
  const { topicId } = await writer.createTopic({ topic: "orders", partitions: 2, config: { retentionMs: 1000 } });
  expect(await reader.listTopics()).toEqual([{ topic: "orders", topicId, partitionCount: 2 }]);
  await append("orders", "a", "b");
  const described = await reader.describeTopic("orders");
  expect(described).toMatchObject({ topicId, config: { retentionMs: 1000 }, effectiveConfig: {} });
  expect(described.partitions[0]).toEqual({ partition: 0, logStartOffset: 0, highWatermark: 2, logEndOffset: 2 });
  await append("orders", "c");
  const asked = [{ partition: 0, position: "latest" }] as const;
  expect(await reader.listOffsets({ topic: "orders", partitions: asked })).toMatchObject([{ offset: 3, topicId }]);
  const { nextOffset } = await reader.fetch({ topic: "orders", partition: 0 });
  expect(nextOffset).toBe(3);
});

test("a reader follows what is appended, and ends at once when it is left", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  const events = reader.consume({ topic: "orders", partition: 0 });
  const seen = async (type: ConsumeEvent["type"]) => {
    for (;;) {
      const { value } = await events.next();
      if (value?.type === type) return value;
    }
  };
  await seen("caughtUp");
  await append("orders", "a");
  expect(await seen("batches")).toMatchObject({ highWatermark: 1 });
  const waiting = events.next();
  await events.return(undefined);
  await waiting;
});

test("a topic that is deleted and created again is another one", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  const { topicId } = await reader.describeTopic("orders");
  await writer.deleteTopic("orders");
  await expect(reader.describeTopic("orders")).rejects.toThrow(UnknownTopicError);
  await writer.createTopic({ topic: "orders", partitions: 1 });
  expect((await reader.describeTopic("orders")).topicId).not.toBe(topicId);
});

test("groups have their members' commits and lag", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await append("orders", "a", "b", "c");
  expect(await reader.listGroups()).toEqual([]);
  await writer.commitOffsets({ group: "billing", offsets: [{ topic: "orders", partition: 0, offset: 1 }] });
  expect(await reader.listGroups()).toEqual([{ group: "billing", state: "empty", memberCount: 0 }]);
  const { lagMs, ...known } = (await reader.describeGroup("billing")).partitions[0]!;
  const { lagMs: _, ...expected } = (await writer.describeGroup("billing")).partitions[0]!;
  expect(known).toEqual(expected);
  expect(await reader.fetchOffsets("billing")).toEqual(await writer.fetchOffsets("billing"));
  await writer.resetOffsets({ group: "billing", to: "latest" });
  expect(await reader.fetchOffsets("billing", [{ topic: "orders", partition: 0 }])).toMatchObject([{ offset: 3 }]);
  await expect(reader.describeGroup("nobody")).rejects.toMatchObject({ code: "UNKNOWN_GROUP" });
});

test("snapshots are listed", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await writer.createSnapshot("orders", "monday");
  expect(await reader.listSnapshots()).toEqual(await writer.listSnapshots());
});

test("what would change something is refused", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await expect(reader.produce()).rejects.toThrow(InvalidArgumentError);
  await expect(reader.createTopic()).rejects.toThrow("open read-only");
  await expect(reader.resetOffsets()).rejects.toThrow("open read-only");
  expect(() => reader.joinGroup()).toThrow("open read-only");
});

test("a directory that is no broker's is refused, and not created", async () => {
  await expect(ReadOnlyBroker.open("nothing", { storage })).rejects.toThrow(NotALogStoreError);
  expect(await storage.list("nothing")).toBeUndefined();
});
