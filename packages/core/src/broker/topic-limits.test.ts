import { describe, expect, test } from "vitest";
import { failAt, HookedStorage } from "../../test/hooked-storage.js";
import { Broker, type BrokerOptions, MemoryStorage } from "../index.js";

function open(storage: MemoryStorage, topicLimits: BrokerOptions["topicLimits"]): Promise<Broker> {
  return Broker.open("data", { storage, topicLimits });
}

const exceeded = (expected: number) => expect.objectContaining({ code: "RESOURCE_LIMIT_EXCEEDED", expected });
const create = (broker: Broker, topic: string, partitions = 1) => broker.createTopic({ topic, partitions });

describe("limits of a data directory", () => {
  test("topics, including concurrent creations", async () => {
    const broker = await open(new MemoryStorage(), { maxTopics: 3 });
    const results = await Promise.allSettled(Array.from({ length: 6 }, (_, i) => create(broker, `t${i}`)));
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(refused).toEqual([exceeded(3), exceeded(3), exceeded(3)]);
    await broker.createTopic({ topic: "t0", partitions: 1, ifNotExists: true });
    await expect(broker.createTopic({ topic: "u", partitions: 1, ifNotExists: true })).rejects.toThrow(exceeded(3));
    await broker.deleteTopic("t1");
    await create(broker, "u");
    await broker.close();
  });

  test("partitions: after a refused topic, a smaller one is accepted", async () => {
    const broker = await open(new MemoryStorage(), { maxPartitions: 10 });
    await create(broker, "t", 6);
    await expect(create(broker, "u", 5)).rejects.toThrow(exceeded(10));
    await expect(create(broker, "u", 0)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await create(broker, "u", 4);
    await expect(create(broker, "v")).rejects.toThrow(exceeded(10));
    await broker.deleteTopic("t");
    await create(broker, "v", 6);
    expect((await broker.listTopics()).map(({ topic }) => topic)).toEqual(["u", "v"]);
    await broker.close();
  });

  test("snapshots, and the partitions of restored topics", async () => {
    const broker = await open(new MemoryStorage(), { maxSnapshots: 2, maxPartitions: 5 });
    await create(broker, "t", 3);
    const results = await Promise.allSettled(["a", "b", "c"].map((name) => broker.createSnapshot("t", name)));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    await expect(broker.createSnapshot("t", "a")).rejects.toMatchObject({ code: "SNAPSHOT_EXISTS" });
    await expect(broker.createSnapshot("t", "c")).rejects.toThrow(exceeded(2));
    await broker.deleteSnapshot("t", "a");
    await broker.createSnapshot("t", "c");
    await expect(broker.restoreSnapshot("t", "c", "u")).rejects.toThrow(exceeded(5));
    await expect(broker.restoreSnapshot("t", "x", "u")).rejects.toMatchObject({ code: "UNKNOWN_SNAPSHOT" });
    await broker.deleteTopic("t");
    expect((await broker.restoreSnapshot("t", "c", "u")).partitions).toHaveLength(3);
    await broker.close();
  });

  test("a topic that could not be created does not count; existing ones count when a broker is opened", async () => {
    const storage = new HookedStorage();
    let broker = await Broker.open("data", { storage, topicLimits: { maxTopics: 2, maxPartitions: 6 } });
    await create(broker, "t", 3);
    storage.before = failAt("createFile", 1);
    await expect(create(broker, "u", 3)).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    storage.before = () => {};
    await create(broker, "u", 3);
    await broker.close();

    broker = await Broker.open("data", { storage, topicLimits: { maxPartitions: 7 } });
    await expect(create(broker, "v", 2)).rejects.toThrow(exceeded(7));
    await create(broker, "v");
    await broker.close();
  });

  test("a data directory above a lowered limit can be opened, and may shrink", async () => {
    const storage = new MemoryStorage();
    let broker = await open(storage, {});
    for (const topic of ["t", "u", "v"]) await create(broker, topic, 4);
    for (const name of ["a", "b"]) await broker.createSnapshot("t", name);
    await broker.alterTopicConfig("t", { segmentBytes: 300 });
    await broker.close();

    broker = await open(storage, { maxTopics: 1, maxPartitions: 5, maxSnapshots: 1, minSegmentBytes: 1_000 });
    expect(await broker.listTopics()).toHaveLength(3);
    expect(await broker.listSnapshots()).toHaveLength(2);
    expect(broker.topicConfig("t")).toEqual({ segmentBytes: 300 });
    await expect(create(broker, "w")).rejects.toThrow(exceeded(1));
    await expect(broker.createSnapshot("u", "c")).rejects.toThrow(exceeded(1));
    for (const topic of ["u", "v"]) await broker.deleteTopic(topic);
    await expect(create(broker, "w")).rejects.toThrow(exceeded(1));
    await broker.deleteTopic("t");
    await create(broker, "w", 5);
    await broker.close();
  });
});

test("topics cannot be configured with segments below the minimum", async () => {
  const broker = await open(new MemoryStorage(), { minSegmentBytes: 1_000 });
  const tooSmall = expect.objectContaining({ code: "INVALID_ARGUMENT", expected: 1_000, actual: 999 });
  const config = { segmentBytes: 999 };
  await expect(broker.createTopic({ topic: "t", partitions: 1, config })).rejects.toThrow(tooSmall);
  await create(broker, "t");
  await expect(broker.alterTopicConfig("t", config)).rejects.toThrow(tooSmall);
  expect(await broker.alterTopicConfig("t", { segmentBytes: 1_000 })).toEqual({ segmentBytes: 1_000 });
  await broker.close();
});

test("limits are whole numbers, and unknown names are refused", async () => {
  await expect(open(new MemoryStorage(), { maxTopics: -1 })).rejects.toThrow("topicLimits.maxTopics must be a whole");
  await expect(open(new MemoryStorage(), { minSegmentBytes: 3 })).rejects.toThrow("topicLimits.minSegmentBytes");
  await expect(open(new MemoryStorage(), { maxTopic: 1 } as object)).rejects.toThrow(
    'topicLimits.maxTopic" (did you mean',
  );
});
