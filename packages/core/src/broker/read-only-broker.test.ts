import { setTimeout } from "node:timers/promises";
import { InvalidArgumentError, NotALogStoreError, UnknownTopicError } from "@logstore/codec";
import type { ConsumeEvent } from "@logstore/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { range, sealed } from "../../test/records.js";
import { MemoryStorage } from "../storage/memory-storage.js";
import { Broker } from "./broker.js";
import { ReadOnlyBroker } from "./read-only-broker.js";

let storage: MemoryStorage;
/** What the reader sees of the storage. */
let hooked: HookedStorage;
let writer: Broker;
let reader: ReadOnlyBroker;

beforeEach(async () => {
  storage = new MemoryStorage();
  writer = await Broker.open("data", { storage });
  hooked = new HookedStorage(storage);
  reader = await ReadOnlyBroker.open("data", { storage: hooked, maxOpenFiles: 3 });
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

test("the configuration is as the writer last altered it", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1, config: { retentionMs: 1000 } });
  expect(await reader.describeTopic("orders")).toMatchObject({ config: { retentionMs: 1000 } });
  await writer.alterTopicConfig("orders", { retentionMs: 2000 });
  expect(await reader.describeTopic("orders")).toMatchObject({ config: { retentionMs: 2000 } });
});

test("a deleted topic is closed, and a reader that only fetches finds the next one of that name", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await append("orders", "a", "b");
  const orders = { topic: "orders", partition: 0 };
  await reader.fetch(orders);
  const waiting = reader.fetch({ ...orders, from: "latest", maxWaitMs: 600_000 });
  const ended = expect(waiting).rejects.toMatchObject({ code: "CLOSED", topic: "orders" });
  await writer.deleteTopic("orders");
  await reader.listTopics();
  await ended;
  expect(hooked.openFiles).toBe(0);
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await append("orders", "c");
  expect(await reader.fetch(orders)).toMatchObject({ nextOffset: 1 });
});

test("a reader that waits learns that its topic was deleted", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  const events = reader.consume({ topic: "orders", partition: 0 });
  await events.next();
  const waiting = expect(events.next()).rejects.toMatchObject({ code: "CLOSED", topic: "orders" });
  await writer.deleteTopic("orders");
  await waiting;
});

test("readers learn that the writer can no longer be followed", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  const events = reader.consume({ topic: "orders", partition: 0 });
  await events.next();
  hooked.before = ({ kind, path }) => {
    if (kind === "openFile" && path.endsWith("watermarks")) throw Object.assign(new Error(), { code: "EACCES" });
  };
  await append("orders", "a");
  const failure = { code: "STORAGE_FAILED", topic: "orders" };
  await expect(events.next()).rejects.toMatchObject(failure);
  await expect(reader.fetch({ topic: "orders", partition: 0 })).rejects.toMatchObject(failure);
});

test("a call sees what was acknowledged during a look that is under way", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await reader.describeTopic("orders");
  const listing = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  hooked.before = ({ kind, path }) => {
    if (kind !== "list" || !path.endsWith("/0")) return;
    listing.resolve();
    return held.promise;
  };
  await append("orders", "a");
  await listing.promise; // a look has read the watermarks
  await append("orders", "b");
  const described = reader.describeTopic("orders");
  await setTimeout(10);
  held.resolve();
  expect((await described).partitions).toMatchObject([{ highWatermark: 2 }]);
});

test("a call waits for two looks at most, however often a busy writer reports changes", async () => {
  const { watch } = hooked;
  let changed = () => {};
  hooked.watch = (path, callback) => {
    changed = callback;
    return watch.call(hooked, path, callback);
  };
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await reader.describeTopic("orders");
  let looks = 0;
  hooked.before = ({ kind, path }) => {
    if (kind === "openFile" && path.endsWith("watermarks") && looks++ < 100) changed();
  };
  await reader.describeTopic("orders");
  expect(looks).toBeLessThan(10);
});

test("open files are limited for all topics together", async () => {
  for (const topic of range(9)) {
    await writer.createTopic({ topic, partitions: 1 });
    await append(topic, "a");
    expect(await reader.fetch({ topic, partition: 0 })).toMatchObject({ nextOffset: 1 });
  }
  expect(hooked.mostOpenFiles).toBe(3);
});

test("a closed broker opens nothing, and closes every topic even if one fails to close", async () => {
  const topics = ["a", "b", "c"];
  const { openFile } = hooked;
  hooked.openFile = async (path, access) => {
    const file = await openFile.call(hooked, path, access);
    const close = async () => {
      await file.close();
      if (path.endsWith(".log")) throw new Error("EIO");
    };
    return { ...file, close };
  };
  for (const topic of topics) {
    await writer.createTopic({ topic, partitions: 1 });
    await append(topic, "a");
    await reader.fetch({ topic, partition: 0 });
  }
  await writer.createTopic({ topic: "late", partitions: 1 });
  const late = expect(reader.describeTopic("late")).rejects.toMatchObject({ code: "CLOSED" });
  await expect(reader.close()).rejects.toThrow("EIO");
  await late;
  expect(hooked.openFiles).toBe(0);
  reader.close = async () => {}; // its error is known
  const calls = [
    () => reader.listTopics(),
    () => reader.fetch({ topic: "a", partition: 0 }),
    () => reader.consume({ topic: "a", partition: 0 }).next(),
    () => reader.listGroups(),
    () => reader.fetchOffsets("billing"),
    () => reader.listSnapshots(),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "CLOSED" });
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

test("a group's offsets are asked for as with its server", async () => {
  const { topicId } = await writer.createTopic({ topic: "orders", partitions: 3 });
  const commits = [0, 1, 2].map((partition) => ({ topic: "orders", partition, offset: 0 }));
  await writer.commitOffsets({ group: "billing", offsets: commits });
  const asked = [2, 0].map((partition) => ({ topic: "orders", topicId, partition }));
  expect(await reader.fetchOffsets("billing", asked)).toEqual(await writer.fetchOffsets("billing", asked));
  const other = { topic: "orders", topicId: "another", partition: 0 };
  await expect(reader.fetchOffsets("billing", [other])).rejects.toMatchObject({ code: "INCONSISTENT_TOPIC_ID" });
  await expect(reader.fetchOffsets("no name")).rejects.toThrow(InvalidArgumentError);
});

test("a call about a group looks each topic up once", async () => {
  const { topicId } = await writer.createTopic({ topic: "orders", partitions: 20 });
  const commits = [...Array(20).keys()].map((partition) => ({ topic: "orders", partition, offset: 0 }));
  await writer.commitOffsets({ group: "billing", offsets: commits });
  await reader.describeTopic("orders");
  let reads = 0;
  hooked.before = ({ kind, path }) => {
    if (kind === "openFile" && path.endsWith("topic.json")) reads++;
  };
  expect((await reader.describeGroup("billing")).partitions).toHaveLength(20);
  expect(reads).toBe(1);
  const asked = commits.map(({ topic, partition }) => ({ topic, topicId, partition }));
  expect(await reader.fetchOffsets("billing", asked)).toHaveLength(20);
  expect(reads).toBe(2);
});

test("a topic that cannot be read is shown as damaged in its group, beside the others", async () => {
  await writer.createTopic({ topic: "bills", partitions: 1 });
  const [bills] = (await storage.list("data/topics"))!;
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await append("orders", "a");
  const commits = ["bills", "orders"].map((topic) => ({ topic, partition: 0, offset: 0 }));
  await writer.commitOffsets({ group: "billing", offsets: commits });
  const committed = await writer.fetchOffsets("billing");
  hooked.before = ({ kind, path }) => {
    if (kind === "openFile" && path === `data/topics/${bills}/store.json`) throw new Error("EIO");
  };
  const { partitions } = await reader.describeGroup("billing");
  const damage = { code: "STORAGE_FAILED", topic: "bills" };
  expect(partitions).toMatchObject([
    { topic: "bills", damage },
    { topic: "orders", lag: 1 },
  ]);
  expect(await reader.fetchOffsets("billing")).toEqual(committed);
});

test("snapshots are listed", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await writer.createSnapshot("orders", "monday");
  expect(await reader.listSnapshots()).toEqual(await writer.listSnapshots());
});

test("a list of snapshots does not wait for another broker's disk", async () => {
  await writer.createTopic({ topic: "orders", partitions: 1 });
  await writer.createSnapshot("orders", "monday");
  const reading = Promise.withResolvers<void>();
  const stuck = Promise.withResolvers<void>();
  hooked.before = ({ path }) => {
    if (!path.includes("/monday/")) return;
    reading.resolve();
    return stuck.promise;
  };
  const waiting = reader.listSnapshots();
  await reading.promise;
  const snapshots = await writer.listSnapshots();
  stuck.resolve();
  expect(await waiting).toEqual(snapshots);
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
