/**
 * Creating, altering and deleting topics takes effect at once, is durable, and is atomic at every
 * possible crash.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Call, failAt, HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, collect, lines, range, sealed, text } from "../../test/records.js";
import { everyFile, temporaryDirectory } from "../../test/temporary-directory.js";
import { Broker, type BrokerOptions, LogStore, type TopicConfigChange } from "../index.js";
import { SimulatedDisk } from "../testing/index.js";

async function opened(options: BrokerOptions = {}, storage = new HookedStorage()) {
  const broker = await Broker.open("data", { storage, ...options });
  onTestFinished(() => broker.close().catch(() => {}));
  return { storage, broker };
}

/** A broker with topics "t" and "u" of two partitions, with three records in each partition. */
async function filled(options: BrokerOptions = {}, storage?: HookedStorage) {
  const opening = await opened(options, storage);
  for (const topic of ["t", "u"]) {
    await opening.broker.createTopic({ topic, partitions: 2 });
    for (const partition of [0, 1]) await appendOneByOne(opening.broker.topic(topic), range(3, topic), partition);
  }
  return opening;
}

async function topics(broker: Broker): Promise<string[]> {
  return (await broker.listTopics()).map(({ topic }) => topic);
}

async function checkWhole(broker: Broker, topic: string): Promise<void> {
  for (const partition of [0, 1])
    expect(await lines(broker.topic(topic), partition)).toEqual(range(3, topic).map((value, i) => `${i} ${value}`));
}

/**
 * Makes the k-th mutating call and all later ones fail. `made` returns whether the k-th call was
 * reached.
 */
function crashAt(storage: HookedStorage, k: number): { made(): boolean } {
  let count = 0;
  storage.before = ({ kind, path }: Call) => {
    if (["read", "openFile", "identify", "list", "size", "lock"].includes(kind) || path.endsWith("watermarks")) return; // `watermarks` is a cache, whose failures have no effect
    if (++count >= k) throw Object.assign(new Error("EIO: crash"), { code: "EIO" });
  };
  return { made: () => count >= k };
}

test("deleting a topic removes its files and frees its name", async () => {
  const directory = temporaryDirectory();
  const broker = await Broker.open(directory);
  onTestFinished(() => broker.close());
  for (const topic of ["t", "u"]) {
    await broker.createTopic({ topic, partitions: 2 });
    await appendOneByOne(broker.topic(topic), range(3, topic), 1);
  }
  await broker.deleteTopic("t");
  expect(await topics(broker)).toEqual(["u"]);
  expect(readdirSync(join(directory, "topics"))).toHaveLength(1);
  const produce = (topic: string) => broker.produce({ topic, partition: 1, batches: sealed(["new"]) });
  for (const call of [
    broker.describeTopic("t"),
    produce("t"),
    broker.deleteTopic("t"),
    broker.alterTopicConfig("t", {}),
  ])
    expect(await caught(call)).toMatchObject({ code: "UNKNOWN_TOPIC", topic: "t" });
  expect((await produce("u")).baseOffset).toBe(3);
  await broker.createTopic({ topic: "t", partitions: 3 });
  expect((await produce("t")).baseOffset).toBe(0);
  await broker.close();
  const again = await Broker.open(directory);
  expect(await topics(again)).toEqual(["t", "u"]);
  expect(await lines(again.topic("t"), 1)).toEqual(["0 new"]);
  await again.close();
});

test("reads and appends during a deletion fail with a ClosedError", async () => {
  const { broker, storage } = await filled();
  const store = broker.topic("t");
  const tail = store.tail(0)[Symbol.asyncIterator]().next();
  const events = broker.consume({ topic: "t", partition: 0, from: "latest" });
  await events.next();
  const waiting = [codeOf(tail), codeOf(events.next())];
  const deleting = broker.deleteTopic("t");
  await deleting;
  expect(await Promise.all(waiting)).toEqual(["CLOSED", "CLOSED"]);
  expect(await codeOf(store.append(null, "late"))).toBe("CLOSED");
  expect(await storage.list("data/topics")).toHaveLength(1);
  await checkWhole(broker, "u");
});

test("a crash at any call of a deletion leaves either the complete topic or nothing", async () => {
  for (let k = 1; ; k++) {
    const { broker, storage } = await filled();
    const crash = crashAt(storage, k);
    await broker.deleteTopic("t").catch(() => {});
    storage.before = () => {};
    const again = await Broker.open("data", { storage });
    const left = await topics(again);
    if (left.includes("t")) await checkWhole(again, "t");
    await checkWhole(again, "u");
    expect(await storage.list("data/topics")).toHaveLength(left.length);
    if (!left.includes("t")) await again.createTopic({ topic: "t", partitions: 1 });
    await again.close();
    expect(await topics((await opened({}, storage)).broker)).toEqual(["t", "u"]);
    if (!crash.made()) return;
    expect(k).toBeLessThan(60);
  }
});

test("a topic that is found after a kill stays, even if its name was not durable", async () => {
  const disk = new SimulatedDisk();
  const broker = await Broker.open("data", { storage: disk });
  let killed: SimulatedDisk | undefined;
  disk.onMutation = ({ kind, path }) => {
    if (kind === "rename" && /topics\/[0-9a-f]{16}$/.test(path)) killed ??= disk.processKill();
  };
  await caught(broker.createTopic({ topic: "t", partitions: 1 }));
  const found = await Broker.open("data", { storage: killed! });
  await found.topic("t").append(null, "v");
  const afterwards = await Broker.open("data", { storage: killed!.powerCut("drop-all") });
  expect(await lines(afterwards.topic("t"))).toEqual(["0 v"]);
  await afterwards.close();
});

test.each([
  ["rename", ".deleted"],
  ["syncDirectory", "data/topics"],
] as const)("a topic that could not be deleted (%s) still exists, and its name stays taken", async (kind, path) => {
  const { broker, storage } = await filled();
  storage.before = failAt(kind, 1, path);
  expect(await caught(broker.deleteTopic("t"))).toMatchObject({ code: "STORAGE_FAILED", topic: "t" });
  await checkWhole(broker, "t");
  expect((await broker.produce({ topic: "t", partition: 0, batches: sealed(["x"]) })).baseOffset).toBe(3);
  expect(await codeOf(broker.createTopic({ topic: "t", partitions: 1 }))).toBe("TOPIC_EXISTS");
  await broker.deleteTopic("t");
  expect(await topics(broker)).toEqual(["u"]);
  await broker.close();
  expect(await topics((await opened({}, storage)).broker)).toEqual(["u"]);
});

test("a deletion makes no records durable", async () => {
  const { broker, storage } = await opened();
  await broker.createTopic({ topic: "t", partitions: 2, config: { durability: "written" } });
  for (const partition of [0, 1]) await appendOneByOne(broker.topic("t"), range(3, "t"), partition);
  const before = storage.calls.length;
  await broker.deleteTopic("t");
  expect(storage.calls.slice(before).filter(({ kind }) => kind === "sync" || kind === "write")).toEqual([]);
});

test("records of a topic that could not be deleted become durable afterwards", async () => {
  const disk = new SimulatedDisk();
  const { broker, storage } = await opened({}, new HookedStorage(disk));
  await broker.createTopic({ topic: "t", partitions: 2, config: { durability: "written" } });
  for (const partition of [0, 1]) await appendOneByOne(broker.topic("t"), range(3, "t"), partition);
  storage.before = failAt("rename", 1, ".deleted");
  expect(await codeOf(broker.deleteTopic("t"))).toBe("STORAGE_FAILED");
  await checkWhole(broker, "t");
  await broker.close();
  const afterwards = await Broker.open("data", { storage: disk.powerCut("drop-all") });
  await checkWhole(afterwards, "t");
  await afterwards.close();
});

test("a crash at any call of a creation leaves either the complete topic or nothing", async () => {
  for (let k = 1; ; k++) {
    const { broker, storage } = await filled();
    const crash = crashAt(storage, k);
    const failure = await broker.createTopic({ topic: "new", partitions: 3 }).catch((error) => error);
    storage.before = () => {};
    const again = await Broker.open("data", { storage });
    const made = (await topics(again)).includes("new");
    if (crash.made()) expect(failure).toMatchObject({ code: "STORAGE_FAILED", topic: "new" });
    else expect(made).toBe(true);
    if (made) expect((await again.describeTopic("new")).partitions).toHaveLength(3);
    else await again.createTopic({ topic: "new", partitions: 2 });
    expect((await again.produce({ topic: "new", partition: 1, batches: sealed(["x"]) })).baseOffset).toBe(0);
    expect(await storage.list("data/topics")).toHaveLength(3);
    expect(again.recovery.unreadable).toEqual([]);
    await again.close();
    if (!crash.made()) return;
    expect(k).toBeLessThan(60);
  }
});

test("if a call of a creation fails, the name stays free, and the broker can be reopened", async () => {
  for (let k = 1; ; k++) {
    const { broker, storage } = await filled();
    let count = 0;
    storage.before = ({ kind, path }) => {
      if (["read", "openFile", "identify", "list", "size", "lock"].includes(kind) || path.endsWith("watermarks"))
        return;
      if (++count === k) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    };
    const failed = (await broker.createTopic({ topic: "new", partitions: 2 }).catch(() => undefined)) === undefined;
    storage.before = () => {};
    if (failed) {
      expect(await topics(broker)).toEqual(["t", "u"]);
      expect(await storage.list("data/topics")).toHaveLength(2);
      await broker.createTopic({ topic: "new", partitions: 2 });
    }
    await broker.close();
    expect(await topics((await opened({}, storage)).broker)).toEqual(["new", "t", "u"]);
    if (!failed) return;
    expect(k).toBeLessThan(60);
  }
});

test("the remains of a creation or deletion are removed when the broker is reopened", async () => {
  const { broker, storage } = await filled();
  await broker.close();
  for (const name of ["0011223344556677.new", "8899aabbccddeeff.deleted"]) {
    await storage.makeDirectory(`data/topics/${name}`);
    await storage.makeDirectory(`data/topics/${name}/0`);
    await (await storage.createFile(`data/topics/${name}/topic.json`)).close();
  }
  const again = (await opened({}, storage)).broker;
  expect(await topics(again)).toEqual(["t", "u"]);
  expect(await storage.list("data/topics")).toHaveLength(2);
});

test("an alteration applies at once to the given options, and is durable", async () => {
  const { broker, storage } = await filled();
  expect(broker.topicConfig("t")).toEqual({});
  expect(await broker.alterTopicConfig("t", { segmentBytes: 200, durability: "written" })).toEqual({
    segmentBytes: 200,
    durability: "written",
  });
  expect(await broker.alterTopicConfig("t", { retentionBytes: 1000, durability: undefined })).toEqual({
    segmentBytes: 200,
    durability: "written",
    retentionBytes: 1000,
  });
  expect(await broker.alterTopicConfig("t", { segmentBytes: null, retentionMs: null })).toEqual({
    durability: "written",
    retentionBytes: 1000,
  });
  expect(broker.topicConfig("u")).toEqual({});
  await broker.close();
  const again = (await opened({}, storage)).broker;
  expect(again.topicConfig("t")).toEqual({ durability: "written", retentionBytes: 1000 });
  expect((await again.produce({ topic: "t", partition: 0, batches: sealed(["x"]) })).durability).toBe("written");
  expect((await again.produce({ topic: "u", partition: 0, batches: sealed(["x"]) })).durability).toBe("flushed");
  await again.alterTopicConfig("t", { durability: null, retentionBytes: null });
  expect((await again.produce({ topic: "t", partition: 0, batches: sealed(["y"]) })).durability).toBe("flushed");
});

test("each option has its effect on the open topic, until it is reset", async () => {
  const { broker, storage } = await filled({ segmentBytes: 1_000_000, maxBatchBytes: 5000 });
  const store = broker.topic("t");
  const segments = async () => {
    const directories = (await storage.list("data/topics"))!.map((id) => `data/topics/${id}/0`);
    const names = await Promise.all(directories.map(async (directory) => (await storage.list(directory)) ?? []));
    return names.flat().filter((name) => name.endsWith(".log")).length - 1; // not counting the one of "u"
  };
  const produce = (value: string) => broker.produce({ topic: "t", partition: 0, batches: sealed([value]) });
  expect(await segments()).toBe(1);
  await broker.alterTopicConfig("t", { segmentBytes: 200 });
  await appendOneByOne(store, range(9));
  expect(await segments()).toBeGreaterThanOrEqual(4);
  await broker.alterTopicConfig("t", { maxBatchBytes: 200 });
  expect(await codeOf(produce("x".repeat(300)))).toBe("BATCH_TOO_LARGE");
  expect(await codeOf(store.append(null, "x".repeat(300)))).toBe("RECORD_TOO_LARGE");
  await broker.alterTopicConfig("t", { maxBatchBytes: null, segmentBytes: null });
  await produce("x".repeat(300));
  await store.append(null, "x".repeat(300));
  const before = await segments();
  await appendOneByOne(store, range(9));
  expect(await segments()).toBe(before);
  await broker.alterTopicConfig("t", { retentionBytes: 0 });
  await store.applyRetention();
  expect(await segments()).toBe(1);
  await broker.alterTopicConfig("t", { retentionBytes: null, retentionMs: 1000 });
  await store.applyRetention();
  expect(store.partition(1).startOffset).toBe(0);
  storage.time = Date.now() + 5000;
  await store.applyRetention();
  expect([store.partition(0), store.partition(1)].map(({ startOffset, endOffset }) => endOffset - startOffset)).toEqual(
    [0, 0],
  );
  expect(broker.topic("u").partition(0).startOffset).toBe(0);
});

test.each<[string, TopicConfigChange]>([
  ["an unknown name", { partitions: 3 } as TopicConfigChange],
  ["a name of every object", { constructor: 1 } as unknown as TopicConfigChange],
  ["a bad segmentBytes", { durability: "written", segmentBytes: 1 }],
  ["a bad retentionMs", { durability: "written", retentionMs: -1 }],
  ["a bad retentionBytes", { retentionBytes: 0.5 }],
  ["a bad maxBatchBytes", { maxBatchBytes: "1" as unknown as number }],
  ["a bad durability", { segmentBytes: 300, durability: "flush" as "flushed" }],
])("%s is refused, and nothing is changed", async (_, change) => {
  const { broker, storage } = await filled();
  await broker.alterTopicConfig("t", { segmentBytes: 500 });
  const before = storage.calls.length;
  expect(await caught(broker.alterTopicConfig("t", change))).toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(storage.calls.slice(before)).toEqual([]);
  expect(broker.topicConfig("t")).toEqual({ segmentBytes: 500 });
  expect((await broker.produce({ topic: "t", partition: 0, batches: sealed(["x"]) })).durability).toBe("flushed");
});

test("an alteration that could not be written is not made", async () => {
  const { broker, storage } = await filled();
  for (const [kind, path] of [
    ["createFile", "topic.json.tmp"],
    ["sync", "topic.json.tmp"],
    ["rename", "topic.json"],
  ] as const) {
    storage.before = failAt(kind, 1, path);
    expect(await caught(broker.alterTopicConfig("t", { durability: "written" }))).toMatchObject({
      code: "STORAGE_FAILED",
      topic: "t",
    });
    expect(broker.topicConfig("t")).toEqual({});
    expect((await broker.produce({ topic: "t", partition: 0, batches: sealed(["x"]) })).durability).toBe("flushed");
  }
});

test("changes of one topic run one at a time", async () => {
  const { broker } = await opened();
  const results = await Promise.allSettled([
    broker.createTopic({ topic: "t", partitions: 1 }),
    broker.alterTopicConfig("t", { segmentBytes: 100 }),
    broker.alterTopicConfig("t", { segmentBytes: 200, retentionMs: 5 }),
    broker.alterTopicConfig("t", { retentionMs: 6 }),
    broker.deleteTopic("t"),
    broker.alterTopicConfig("t", { segmentBytes: 300 }),
  ]);
  const codes = results.map((result) => (result.status === "fulfilled" ? "ok" : result.reason.code));
  expect(codes).toEqual(["ok", "ok", "ok", "ok", "ok", "UNKNOWN_TOPIC"]);
  expect(results[3]).toMatchObject({ value: { segmentBytes: 200, retentionMs: 6 } });
});

test.each([
  ["topic.json", "{ half", "NOT_A_LOG_STORE"],
  ["topic.json", '{"topic":"a/b","config":{}}', "NOT_A_LOG_STORE"],
  ["topic.json", '{"topic":"t","config":{"segmentBytes":-1}}', "NOT_A_LOG_STORE"],
  ["store.json", "{ half", "NOT_A_LOG_STORE"],
  ["store.json", '{"format":"logstore","formatVersion":9}', "UNSUPPORTED_FORMAT_VERSION"],
])("a damaged %s (%s) affects only its topic, and is not modified", async (file, content, code) => {
  const directory = temporaryDirectory();
  const broker = await Broker.open(directory);
  for (const topic of ["t", "u"]) {
    await broker.createTopic({ topic, partitions: 2 });
    for (const partition of [0, 1]) await appendOneByOne(broker.topic(topic), range(3, topic), partition);
  }
  await broker.close();
  const isOfT = (id: string) => readFileSync(join(directory, "topics", id, "topic.json"), "utf8").includes('"t"');
  const damaged = join(directory, "topics", readdirSync(join(directory, "topics")).find(isOfT)!);
  writeFileSync(join(damaged, file), content);
  const before = everyFile(damaged);
  const again = await Broker.open(directory);
  onTestFinished(() => again.close());
  expect(again.recovery).toMatchObject({ partitions: [], unreadable: [{ directory: damaged, error: { code } }] });
  const sound = (await again.listTopics()).filter(({ damage }) => damage === undefined);
  expect(sound).toMatchObject([{ topic: "u" }]);
  await checkWhole(again, "u");
  expect((await again.produce({ topic: "u", partition: 0, batches: sealed(["x"]) })).baseOffset).toBe(3);
  expect(everyFile(damaged)).toEqual(before);
});

test("the recovery of a topic's partitions is reported with the topic", async () => {
  const { broker, storage } = await filled();
  await broker.close();
  for (const id of (await storage.list("data/topics"))!) {
    const path = `data/topics/${id}/1/00000000000000000000.log`;
    const file = await storage.openFile(path, "write");
    await file.write([Buffer.from("torn")], await file.size());
  }
  const again = (await opened({}, storage)).broker;
  const found = again.recovery.partitions.toSorted((a, b) => (a.topic < b.topic ? -1 : 1));
  expect(found).toMatchObject(["t", "u"].map((topic) => ({ topic, partition: 1, tornTail: { length: 4 } })));
});

test("only its broker can open a topic's directory for writing; any process can open it read-only", async () => {
  const directory = temporaryDirectory();
  const broker = await Broker.open(directory);
  await broker.createTopic({ topic: "t", partitions: 1 });
  await appendOneByOne(broker.topic("t"), range(3));
  const [id] = readdirSync(join(directory, "topics"));
  const path = join(directory, "topics", id!);
  const check = async () => {
    expect(await caught(LogStore.open(path))).toMatchObject({ code: "NOT_A_LOG_STORE", file: "topic.json" });
    const store = await LogStore.openReadOnly(path);
    expect((await collect(store.read(0))).map(({ value }) => text(value))).toEqual(range(3));
    await store.close();
  };
  await check();
  await broker.close();
  const before = everyFile(path);
  await check();
  expect(everyFile(path)).toEqual(before);
});

test("deleteRecords returns the log start offset, and its errors name the topic", async () => {
  const { broker } = await filled();
  expect(await broker.deleteRecords("t", 0, 2)).toBe(2);
  expect(await broker.deleteRecords("t", 0, 1)).toBe(2);
  expect((await broker.describeTopic("t")).partitions.map(({ logStartOffset }) => logStartOffset)).toEqual([2, 0]);
  expect(await caught(broker.deleteRecords("t", 1, 4))).toMatchObject({
    code: "OFFSET_OUT_OF_RANGE",
    topic: "t",
    partition: 1,
  });
  expect(await caught(broker.deleteRecords("t", 2, 0))).toMatchObject({ code: "UNKNOWN_PARTITION", topic: "t" });
  expect(await caught(broker.deleteRecords("no", 0, 0))).toMatchObject({ code: "UNKNOWN_TOPIC" });
});
