import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { frameBatches, writeServerHalf } from "@logstore/codec";
import type { ConsumeEvent, ConsumeOptions, ConsumeRequest } from "@logstore/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { failAt, HookedStorage } from "../../test/hooked-storage.js";
import { caught, codeOf, range, sealed, text } from "../../test/records.js";
import { everyFile, temporaryDirectory } from "../../test/temporary-directory.js";
import { Broker, type BrokerOptions } from "../index.js";

async function open(directory = ":memory:", options: BrokerOptions = {}): Promise<Broker> {
  const broker = await Broker.open(directory, options);
  onTestFinished(() => broker.close());
  return broker;
}

/** A topic "t" of one partition with these batches. */
async function filled(batches: readonly string[][], options: BrokerOptions = {}): Promise<Broker> {
  const broker = await open(":memory:", options);
  await broker.createTopic({ topic: "t", partitions: 1 });
  for (const contents of batches) await broker.produce({ topic: "t", partition: 0, batches: sealed(contents) });
  return broker;
}

function consumed(broker: Broker, request: Partial<ConsumeRequest> = {}, options?: ConsumeOptions) {
  return Array.fromAsync(broker.consume({ topic: "t", partition: 0, ...request }, options));
}

function contents(events: readonly ConsumeEvent[]): string[] {
  const batches = events.flatMap((event) => (event.type === "batches" ? [...frameBatches(event.batches)] : []));
  return batches.flatMap((batch) => [...batch.verify()].map(({ offset, value }) => `${offset} ${text(value)}`));
}

test("topics are created, listed by name and described", async () => {
  const broker = await open();
  expect(await broker.listTopics()).toEqual([]);
  const made = await broker.createTopic({ topic: "b", partitions: 2 });
  const empty = { logStartOffset: 0, highWatermark: 0, logEndOffset: 0 };
  const partitions = [
    { partition: 0, ...empty },
    { partition: 1, ...empty },
  ];
  const defaults = { durability: "flushed", segmentBytes: 64 * 2 ** 20, maxBatchBytes: 16 * 2 ** 20 };
  const { topicId } = made;
  expect(made).toEqual({
    topic: "b",
    topicId,
    partitioner: "fnv1a-32",
    partitions,
    config: {},
    effectiveConfig: defaults,
    durabilities: ["written", "flushed"],
  });
  await broker.createTopic({ topic: "a", partitions: 1 });
  expect(await broker.listTopics()).toMatchObject([
    { topic: "a", partitionCount: 1 },
    { topic: "b", partitionCount: 2 },
  ]);
  await broker.produce({ topic: "b", partition: 1, batches: sealed(["x", "y"]) });
  expect((await broker.describeTopic("b")).partitions[1]).toEqual({
    partition: 1,
    logStartOffset: 0,
    highWatermark: 2,
    logEndOffset: 2,
  });
});

test.each(["a", "A.b_c-9", "...", "-", "a".repeat(249), "con", "__proto__", "constructor"])(
  "topic name %j",
  async (topic) => {
    const broker = await open(join(temporaryDirectory(), "data"));
    await broker.createTopic({ topic, partitions: 1 });
    expect(await broker.listTopics()).toMatchObject([{ topic, partitionCount: 1 }]);
  },
);

test.each(["", ".", "..", "a/b", "../x", "/etc", "a\\b", "a b", "a\n", "é", "a\0", "a".repeat(250)])(
  "invalid topic name: %j",
  async (topic) => {
    const directory = join(temporaryDirectory(), "data");
    const broker = await open(directory);
    const before = everyFile(directory);
    expect(await codeOf(broker.createTopic({ topic, partitions: 1 }))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(broker.describeTopic(topic))).toBe("UNKNOWN_TOPIC");
    expect(everyFile(directory)).toEqual(before);
  },
);

test.each([0, -1, 1.5, Number.NaN, 1e9])("%d is not a valid number of partitions", async (partitions) => {
  const broker = await open();
  expect(await codeOf(broker.createTopic({ topic: "t", partitions }))).toBe("INVALID_ARGUMENT");
  expect(await broker.listTopics()).toEqual([]);
});

test("a caller that gets a TopicExistsError can use the topic, also while another caller creates it", async () => {
  const broker = await open(join(temporaryDirectory(), "data"));
  const created = broker.createTopic({ topic: "t", partitions: 1 });
  expect(await codeOf(broker.createTopic({ topic: "t", partitions: 1 }))).toBe("TOPIC_EXISTS");
  expect(await broker.describeTopic("t")).toMatchObject({ topic: "t" });
  await created;
});

test("of concurrent creations of the same topic, one succeeds", async () => {
  const broker = await open();
  const tries = await Promise.allSettled([1, 2].map((partitions) => broker.createTopic({ topic: "t", partitions })));
  expect(tries).toMatchObject([
    { status: "fulfilled" },
    { status: "rejected", reason: { code: "TOPIC_EXISTS", topic: "t" } },
  ]);
  expect(await codeOf(broker.createTopic({ topic: "t", partitions: 1 }))).toBe("TOPIC_EXISTS");
  expect(await broker.listTopics()).toMatchObject([{ topic: "t", partitionCount: 1 }]);
});

test("ifNotExists: returns an existing topic with the same number of partitions, and fails with another number", async () => {
  const broker = await open();
  const request = { topic: "t", partitions: 2, config: { segmentBytes: 4096 }, ifNotExists: true };
  const created = await broker.createTopic(request);
  const again = await broker.createTopic({ ...request, config: { segmentBytes: 8192 } });
  expect(again).toEqual(created);
  expect(again.config).toEqual({ segmentBytes: 4096 });
  await expect(broker.createTopic({ ...request, partitions: 3 })).rejects.toMatchObject({
    code: "TOPIC_EXISTS",
    topic: "t",
    expected: 3,
    actual: 2,
  });
  expect(await codeOf(broker.createTopic({ topic: "t", partitions: 2, ifNotExists: false }))).toBe("TOPIC_EXISTS");
  expect(await codeOf(broker.createTopic({ ...request, config: { segmentBytes: -1 } }))).toBe("INVALID_ARGUMENT");
});

test("ifNotExists: concurrent calls all return the same topic", async () => {
  const broker = await open();
  const request = { topic: "t", partitions: 2, ifNotExists: true };
  const ids = await Promise.all(Array.from({ length: 10 }, async () => (await broker.createTopic(request)).topicId));
  expect(new Set(ids).size).toBe(1);
  expect(await broker.listTopics()).toHaveLength(1);
});

test("errors name the topic and the partition that do not exist", async () => {
  const broker = await filled([]);
  const next = (request: ConsumeRequest) => broker.consume(request).next();
  const batches = sealed(["x"]);
  const position = "latest" as const;
  for (const call of [
    broker.describeTopic("no"),
    broker.produce({ topic: "no", partition: 0, batches }),
    next({ topic: "no", partition: 0 }),
    broker.listOffsets({ topic: "no", partitions: [] }),
  ])
    expect(await caught(call)).toMatchObject({ code: "UNKNOWN_TOPIC", topic: "no" });
  for (const partition of [1, -1, 0.5])
    for (const call of [
      broker.produce({ topic: "t", partition, batches }),
      next({ topic: "t", partition }),
      broker.listOffsets({ topic: "t", partitions: [{ partition, position }] }),
    ])
      expect(await caught(call)).toMatchObject({ code: "UNKNOWN_PARTITION", topic: "t", partition });
});

test("produce: several batches, expected offset, durability", async () => {
  const broker = await filled([["a"]]);
  const request = { topic: "t", partition: 0 };
  const two = Buffer.concat([sealed(["b", "c"]), sealed(["d"])]);
  expect(await broker.produce({ ...request, batches: two, durability: "written", expectedOffset: 1 })).toEqual({
    baseOffset: 1,
    nextOffset: 4,
    logEndOffset: 4,
    durability: "written",
    duplicate: false,
  });
  expect(await caught(broker.produce({ ...request, batches: sealed(["x"]), expectedOffset: 1 }))).toMatchObject({
    code: "WRONG_EXPECTED_OFFSET",
    topic: "t",
    partition: 0,
    expected: 1,
    actual: 4,
  });
  expect(contents(await consumed(broker, { until: "latest" }))).toEqual(["0 a", "1 b", "2 c", "3 d"]);
});

function broken(change: (batch: Uint8Array) => void): Uint8Array {
  const batch = Buffer.from(sealed(["some value"]));
  change(batch);
  return batch;
}

test.each([
  ["nothing", Buffer.alloc(0), undefined],
  ["a flipped bit in the records", broken((batch) => (batch[80]! ^= 1)), "CORRUPT_BATCH"],
  ["a flipped bit in the header", broken((batch) => (batch[5]! ^= 1)), "CORRUPT_BATCH"],
  ["a batch cut short", sealed(["some value"]).subarray(0, -1), "TRUNCATED_BATCH"],
  ["something behind a batch", Buffer.concat([sealed(["v"]), Buffer.from("x")]), "TRUNCATED_BATCH"],
  ["something else", Buffer.alloc(200, "GET / HTTP/1.1\r\n"), "FOREIGN_FORMAT"],
  ["version 2", broken((batch) => (batch[3] = 2)), "UNSUPPORTED_FORMAT_VERSION"],
  ["a batch beyond the limit", sealed(["x".repeat(5000)]), "BATCH_TOO_LARGE"],
  [
    "a filled-in base offset",
    broken((batch) => writeServerHalf(batch, { baseOffset: 5, appendTime: 0, flushedUpTo: 0 })),
    undefined,
  ],
  [
    "a negative append time",
    broken((batch) => writeServerHalf(batch, { baseOffset: 0, appendTime: -1, flushedUpTo: 0 })),
    undefined,
  ],
  [
    "a filled-in proof",
    broken((batch) => writeServerHalf(batch, { baseOffset: 0, appendTime: 0, flushedUpTo: 9 })),
    undefined,
  ],
] as const)("a request with %s is refused whole, and disturbs nobody", async (_, bad, code) => {
  const directory = join(temporaryDirectory(), "data");
  const broker = await open(directory, { maxBatchBytes: 2000 });
  await broker.createTopic({ topic: "t", partitions: 1 });
  const before = everyFile(directory);
  const error = await caught(broker.produce({ topic: "t", partition: 0, batches: Buffer.from(bad) }));
  expect(error).toMatchObject({ topic: "t", partition: 0, ...(code && { code }) });
  expect(everyFile(directory)).toEqual(before);
  const behind = Buffer.concat([sealed(["never"]), bad]);
  const tries = await Promise.allSettled([
    broker.produce({ topic: "t", partition: 0, batches: sealed(["a"]) }),
    ...(bad.length > 0 ? [broker.produce({ topic: "t", partition: 0, batches: behind })] : []),
    broker.produce({ topic: "t", partition: 0, batches: sealed(["b"]) }),
  ]);
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  expect(contents(await consumed(broker, { until: "latest" }))).toEqual(["0 a", "1 b"]);
});

test("consume: batches, and one caughtUp event each time the end is reached", async () => {
  const broker = await filled([["a", "b"], ["c"]]);
  const events = broker.consume({ topic: "t", partition: 0 });
  const types: string[] = [];
  for await (const event of events) {
    types.push(`${event.type} ${"highWatermark" in event ? event.highWatermark : ""}`);
    if (types.length === 2) void broker.produce({ topic: "t", partition: 0, batches: sealed(["d"]) });
    if (types.length === 4) break;
  }
  expect(types).toEqual(["batches 3", "caughtUp 3", "batches 4", "caughtUp 4"]);
});

test("consume: from and until each kind of position", async () => {
  const broker = await filled([["a"], ["b", "c"], ["d"], ["e"]]);
  const all = ["0 a", "1 b", "2 c", "3 d", "4 e"];
  const begins = [0, 1, 1, 3, 4, 5];
  const ends = [0, 1, 3, 3, 4, 5];
  for (let from = 0; from <= 5; from++)
    for (let until = 0; until <= 5; until++) {
      const got = contents(await consumed(broker, { from, until }));
      // Only whole batches are returned: the first may begin before `from`, and the last may extend
      // beyond `until`.
      expect(got).toEqual(from >= until ? [] : all.slice(begins[from], ends[until]));
    }
  expect(contents(await consumed(broker, { from: { time: 0 }, until: "latest" }))).toEqual(all);
  expect(await consumed(broker, { until: { time: 0 } })).toEqual([]);
  expect(await consumed(broker, { from: "latest", until: "latest" })).toEqual([]);
  expect(await caught(consumed(broker, { from: 6 }))).toMatchObject({ code: "OFFSET_OUT_OF_RANGE", topic: "t" });
  for (const until of [-1, 0.5]) expect(await codeOf(consumed(broker, { until }))).toBe("INVALID_ARGUMENT");
});

test("consume: maxBytes limits an event, but a batch is never split", async () => {
  const batches = range(40).map((value) => [value.repeat(10)]);
  const broker = await filled(batches);
  for (const maxBytes of [1, 50, 73, 100, 300, 1000, 100_000]) {
    const events = await consumed(broker, { from: 3, until: "latest", maxBytes });
    expect(contents(events)).toEqual(batches.map(([value], i) => `${i} ${value}`).slice(3));
    for (const event of events) {
      if (event.type !== "batches") continue;
      const count = [...frameBatches(event.batches)].length;
      expect(count === 1 || event.batches.length <= maxBytes).toBe(true);
    }
  }
  for (const maxBytes of [0, -1, 0.5, Number.NaN])
    expect(await codeOf(consumed(broker, { maxBytes }))).toBe("INVALID_ARGUMENT");
});

test("consume: events have the requested headroom, which is unused", async () => {
  const broker = await filled(range(40).map((value) => [value.repeat(20)]));
  for (const from of [0, 17]) {
    const events = await consumed(broker, { from, until: "latest", maxBytes: 700 }, { headroomBytes: 64 });
    for (const event of events) {
      if (event.type !== "batches") continue;
      expect(event.headroomBytes).toBeGreaterThanOrEqual(64);
      expect(event.batches.byteOffset).toBeGreaterThanOrEqual(event.headroomBytes);
      const { buffer, byteOffset } = event.batches;
      new Uint8Array(buffer, byteOffset - event.headroomBytes, event.headroomBytes).fill(0xff);
    }
    expect(contents(events)).toHaveLength(40 - from);
    expect(contents(await consumed(broker, { until: "latest" }))).toHaveLength(40);
  }
});

test("consume: ends when the signal is aborted: before, during a wait, and between events", async () => {
  const broker = await filled([["a"]]);
  expect(await consumed(broker, {}, { signal: AbortSignal.abort() })).toEqual([]);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const { type } of broker.consume({ topic: "t", partition: 0 }, { signal: stop.signal })) {
    seen.push(type);
    if (type === "caughtUp") setImmediate(() => stop.abort());
  }
  expect(seen).toEqual(["batches", "caughtUp"]);
});

test("consume: return ends a wait at once", async () => {
  const broker = await filled([]);
  const events = broker.consume({ topic: "t", partition: 0 });
  expect((await events.next()).value).toEqual({ type: "caughtUp", highWatermark: 0, logEndOffset: 0 });
  const next = events.next();
  await events.return();
  expect(await next).toEqual({ value: undefined, done: true });
});

test("consume: a heartbeat if there are no other events", async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const broker = await filled([]);
  const events = broker.consume({ topic: "t", partition: 0 });
  await events.next();
  for (let i = 0; i < 2; i++) {
    const next = events.next();
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await next).value).toEqual({ type: "heartbeat", highWatermark: 0, logEndOffset: 0 });
  }
  const next = events.next();
  await broker.produce({ topic: "t", partition: 0, batches: sealed(["a"]) });
  expect((await next).value).toMatchObject({ type: "batches", highWatermark: 1 });
  await events.return();
});

test("consume: a wait fails when the broker is closed", async () => {
  const broker = await filled([]);
  const events = broker.consume({ topic: "t", partition: 0 });
  await events.next();
  const next = expect(events.next()).rejects.toMatchObject({ code: "CLOSED", topic: "t", partition: 0 });
  await broker.close();
  await next;
});

test("listOffsets", async () => {
  const broker = await filled([["a", "b"]]);
  const ask = (position: ConsumeRequest["from"]) =>
    broker.listOffsets({ topic: "t", partitions: [{ partition: 0, position: position! }] });
  for (const [position, offset] of [
    ["earliest", 0],
    ["latest", 2],
    [1, 1],
    [{ time: 0 }, 0],
    [{ time: 9e15 }, 2],
  ] as const)
    expect(await ask(position)).toMatchObject([
      { partition: 0, offset, logStartOffset: 0, highWatermark: 2, logEndOffset: 2 },
    ]);
  expect(await caught(ask(3))).toMatchObject({ code: "OFFSET_OUT_OF_RANGE", topic: "t", partition: 0 });
});

test("reopening finds the topics and their records, and ignores other directories", async () => {
  const directory = join(temporaryDirectory(), "data");
  const broker = await open(directory);
  for (const topic of ["b", "a"]) {
    await broker.createTopic({ topic, partitions: 2 });
    await broker.produce({ topic, partition: 1, batches: sealed([`in ${topic}`]) });
  }
  await broker.close();
  mkdirSync(join(directory, "topics", "0123456789abcdef"));
  writeFileSync(join(directory, "topics", "0123456789abcdef", "store.json"), "{ half");
  writeFileSync(join(directory, "topics", ".DS_Store"), "not ours");
  const again = await open(directory);
  expect((await again.listTopics()).map(({ topic }) => topic)).toEqual(["a", "b"]);
  const events = await Array.fromAsync(again.consume({ topic: "a", partition: 1, until: "latest" }));
  expect(contents(events)).toEqual(["0 in a"]);
});

test("if two directories have the same topic name, neither is served", async () => {
  const directory = join(temporaryDirectory(), "data");
  const broker = await open(directory);
  await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.createTopic({ topic: "other", partitions: 1 });
  await broker.close();
  for (const id of readdirSync(join(directory, "topics"))) {
    if (!readFileSync(join(directory, "topics", id, "topic.json"), "utf8").includes('"t"')) continue;
    cpSync(join(directory, "topics", id), join(directory, "topics", "copy"), { recursive: true });
  }
  const again = await open(directory);
  expect(await again.listTopics()).toMatchObject([
    { topic: "other", partitionCount: 1 },
    { topic: "t", partitionCount: 0, damage: { code: "NOT_A_LOG_STORE" } },
  ]);
  expect(again.recovery.unreadable).toMatchObject([
    { topic: "t", error: { code: "NOT_A_LOG_STORE" } },
    { topic: "t", error: { code: "NOT_A_LOG_STORE" } },
  ]);
  expect(await codeOf(again.createTopic({ topic: "t", partitions: 1 }))).toBe("TOPIC_EXISTS");
});

test("a topic that could not be created is closed, and can be created later", async () => {
  const storage = new HookedStorage();
  const broker = await open("data", { storage });
  storage.before = failAt("rename", 1, "topic.json");
  await expect(broker.createTopic({ topic: "t", partitions: 1 })).rejects.toThrow("EIO");
  expect(await broker.listTopics()).toEqual([]);
  expect(await broker.createTopic({ topic: "t", partitions: 2 })).toMatchObject({ topic: "t" });
  await broker.close();
  expect(await (await open("data", { storage })).listTopics()).toMatchObject([{ topic: "t", partitionCount: 2 }]);
});

test("a closed broker refuses calls, and closing waits for a topic that is being created", async () => {
  const directory = join(temporaryDirectory(), "data");
  const broker = await open(directory);
  const creating = broker.createTopic({ topic: "t", partitions: 1 });
  await broker.close();
  await creating;
  const before = everyFile(directory);
  expect(await codeOf(broker.createTopic({ topic: "u", partitions: 1 }))).toBe("CLOSED");
  expect(await codeOf(broker.produce({ topic: "t", partition: 0, batches: sealed(["x"]) }))).toBe("CLOSED");
  expect(everyFile(directory)).toEqual(before);
  expect(await (await open(directory)).listTopics()).toMatchObject([{ topic: "t", partitionCount: 1 }]);
});
