/** An invalid option is refused with its name, before anything is changed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { caught, range, values } from "../../test/records.js";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { Broker, importBilog, LogStore } from "../index.js";

const wrong: readonly (readonly [object, string])[] = [
  [{ segmentByte: 1 }, "segmentByte"],
  [{ segmentBytes: Number.NaN }, "segmentBytes"],
  [{ segmentBytes: "64" }, "segmentBytes"],
  [{ segmentBytes: -1 }, "segmentBytes"],
  [{ maxBatchBytes: 1.5 }, "maxBatchBytes"],
  [{ maxQueuedBytes: Number.POSITIVE_INFINITY }, "maxQueuedBytes"],
  [{ retentionMs: Number.NaN }, "retentionMs"],
  [{ retentionMs: Number.POSITIVE_INFINITY }, "retentionMs"],
  [{ retentionBytes: -1 }, "retentionBytes"],
  [{ tailCacheBytes: null }, "tailCacheBytes"],
  [{ maxOpenFiles: 0 }, "maxOpenFiles"],
  [{ durability: "flush" }, "durability"],
  [{ compression: 5 }, "compression"],
  [{ hooks: { commited() {} } }, "hooks.commited"],
  [{ hooks: { warned: true } }, "hooks.warned"],
  [{ storage: {} }, "storage"],
];

test.each(wrong)("open with %o is refused", async (options, name) => {
  const directory = join(temporaryDirectory(), "data");
  for (const opening of [LogStore.open(directory, options), Broker.open(directory, options)]) {
    const error = await caught(opening);
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain(name);
  }
  expect(existsSync(directory)).toBe(false);
});

test("the error for a misspelt name suggests the right one", async () => {
  expect((await caught(LogStore.open(":memory:", { segmentByte: 1 } as object))).message).toContain("segmentBytes");
  expect((await caught(Broker.open(":memory:", { partitions: 4 } as object))).message).toContain("partitions");
  const readOnly = LogStore.openReadOnly("nowhere", { maxOpenFile: 1 } as object);
  expect((await caught(readOnly)).message).toContain("maxOpenFiles");
});

test("calls with invalid options", async () => {
  const store = await LogStore.open(":memory:");
  onTestFinished(() => store.close());
  await store.append(null, "a", { timestamp: 5, headers: [] });
  const calls: readonly (readonly [() => Promise<unknown>, string])[] = [
    [() => store.append(null, "x", { partion: 0 } as object), "partition"],
    [() => store.append(null, "x", { timestamp: Number.NaN }), "timestamp"],
    [() => store.append(null, "x", { durability: "flush" } as object), "durability"],
    [() => store.appendMany(0, [{ value: "x" }], { expectedOfset: 0 } as object), "expectedOffset"],
    [async () => store.read(0, { form: 0 } as object), "from"],
    [async () => store.read(0, { from: "0" } as object), "from"],
    [async () => store.read(0, { from: { time: new Date(Number.NaN) } }), "from"],
    [async () => store.read(0, { from: null } as object), "from"],
    [async () => store.tail(0, { signal: {} } as object), "signal"],
    [async () => store.repair({ dryrun: false } as object), "dryRun"],
    [async () => store.repair({ dryRun: "no" } as object), "dryRun"],
    [async () => store.snapshot("s", { signal: 5 } as object), "signal"],
    [() => store.append(null, "x", { timestamp: new Date(Number.NaN) }), "timestamp"],
    [() => store.append(null, "x", { timestamp: null } as object), "timestamp"],
    [() => store.append(null, "x", { timestamp: "5" } as object), "timestamp"],
    [() => store.append(null, "x", { headers: 5 } as object), "headers"],
    [() => store.append(null, "x", { headers: [null] } as object), "header"],
    [() => store.append(null, "x", null as never), "options"],
    [() => store.append(5 as never, "x"), "key"],
    [() => store.append(undefined as never, "x"), "key"],
    [() => store.append(null, undefined as never), "value"],
    [() => store.appendMany(0, undefined as never), "records"],
    [() => store.appendMany(0, [null] as never), "record"],
    [() => store.appendMany(0, [{ value: "x", timestamp: Number.NaN }]), "timestamp"],
    [async () => store.alter({ retentionMS: 5 } as object), "retentionMs"],
    [async () => store.alter({ partitions: 5 } as object), "partitions"],
    [async () => store.alter({ segmentBytes: Number.NaN }), "segmentBytes"],
    [async () => store.alter({ retentionMs: -1 }), "retentionMs"],
    [async () => store.alter({ durability: "flush" } as object), "durability"],
    [async () => store.alter({ maxQueuedBytes: "5" } as object), "maxQueuedBytes"],
    [async () => store.alter(null as never), "alter"],
    [() => store.deleteRecords(0, Number.NaN), "NaN"],
    [() => store.deleteRecords(0, -1), "-1"],
    [() => store.deleteRecords(0, "1" as never), "offset"],
    [async () => store.read("0" as never), "partition"],
    [() => store.flush("0" as never), "partition"],
    [async () => store.tail(0, { onSkipped: 5 } as object), "onSkipped"],
    [() => store.partition(0).slice(0, Number.NaN), "maxBytes"],
    [() => store.partition(0).slice(0, 0), "maxBytes"],
    [() => store.partition(0).slice(0, "5" as never), "maxBytes"],
    [() => importBilog("nowhere", store, { maxRecordBytes: Number.NaN }), "maxRecordBytes"],
    [() => importBilog("nowhere", store, { maxRecordByte: 5 } as object), "maxRecordBytes"],
  ];
  for (const [call, name] of calls) {
    const error = await caught(call());
    expect(error.code, name).toBe("INVALID_ARGUMENT");
    expect(error.message).toContain(name);
  }
  expect(await values(store)).toEqual(["a"]);
});

test("a time may be a Date", async () => {
  const store = await LogStore.open(":memory:");
  onTestFinished(() => store.close());
  await store.appendMany(
    0,
    range(3).map((value) => ({ value })),
  );
  expect(await values(store, 0, { time: new Date(0) } as never)).toEqual(range(3));
  expect(await values(store, 0, { time: new Date(Date.now() + 60_000) } as never)).toEqual([]);
  const timestamp = new Date(12_345);
  await store.append(null, "one", { timestamp });
  await store.append(null, "expected", { timestamp, expectedOffset: 4 });
  await store.appendMany(0, [{ value: "many", timestamp }]);
  const read = await Array.fromAsync(store.read(0, { from: 3 }));
  expect(read.map((record) => record.timestamp)).toEqual([12_345, 12_345, 12_345]);
});

test("positions of a broker: a Date is accepted, invalid ones are refused by name", async () => {
  const broker = await Broker.open(":memory:");
  onTestFinished(() => broker.close());
  await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.topic("t").append(null, "a");
  const list = (position: unknown) =>
    broker.listOffsets({ topic: "t", partitions: [{ partition: 0, position: position as never }] });
  expect(await list({ time: new Date(0) })).toMatchObject([{ offset: 0 }]);
  expect(await list({ time: new Date(Date.now() + 60_000) })).toMatchObject([{ offset: 1 }]);
  const fetched = await broker.fetch({ topic: "t", partition: 0, from: { time: new Date(0) } as never });
  expect(fetched.nextOffset).toBe(1);
  for (const position of [null, "end", { time: Number.NaN }, { time: new Date(Number.NaN) }, {}]) {
    expect((await caught(list(position))).code).toBe("INVALID_ARGUMENT");
    const from = position as never;
    expect((await caught(broker.fetch({ topic: "t", partition: 0, from }))).code).toBe("INVALID_ARGUMENT");
    expect((await caught(broker.deleteRecords("t", 0, from))).code).toBe("INVALID_ARGUMENT");
  }
});
