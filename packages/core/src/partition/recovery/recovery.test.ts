/**
 * Every kind of damage, in a real directory: reads return the exact prefix of the records or an
 * error with the position, and nothing else.
 */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { frameBatches, RecordBatchBuilder, writeServerHalf } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, lines, range, values, valuesUntilError } from "../../../test/records.js";
import { crashCopy, cutZeros, everyFile, temporaryDirectory } from "../../../test/temporary-directory.js";
import { LogStore, type LogStoreOptions, NodeStorage } from "../../index.js";

const LOG = "00000000000000000000.log";
/** Thousands of syncs take long on a slow disk. */
const MANY_SYNCS = { timeout: 300_000 };

async function open(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open(directory, options);
  onTestFinished(() => store.close());
  return store;
}

/**
 * A copy of a store that was killed after it had appended these values, each flushed in a batch of
 * its own.
 */
async function killedAfter(all: readonly string[], options: LogStoreOptions = {}): Promise<string> {
  const directory = temporaryDirectory();
  const store = await open(directory, options);
  await appendOneByOne(store, all);
  const copy = crashCopy(directory);
  for (const name of readdirSync(join(copy, "0"))) if (name.endsWith(".log")) cutZeros(join(copy, "0", name));
  return copy;
}

function batchEnds(log: Uint8Array): number[] {
  let end = 0;
  return Array.from(frameBatches(log), ({ byteLength }) => {
    end += byteLength;
    return end;
  });
}

function flip(path: string, byte: number, mask = 0x40): void {
  const bytes = readFileSync(path);
  bytes[byte]! ^= mask;
  writeFileSync(path, bytes);
}

/**
 * Opens the store, checks that it contains a prefix of the records and reports what was truncated,
 * appends, and opens it again.
 */
async function checkRecovered(
  directory: string,
  all: readonly string[],
  least: number,
  log: Uint8Array,
  ends: readonly number[],
): Promise<void> {
  const store = await LogStore.open(directory);
  const { read, error } = await valuesUntilError(store);
  expect(read).toEqual(all.slice(0, read.length));
  const end = [0, ...ends][read.length]!;
  const [found] = store.recovery;
  if (error !== undefined) {
    const place = { partition: 0, file: `0/${LOG}`, byte: end, offset: read.length };
    expect(error).toMatchObject({ code: "CORRUPT_PARTITION", ...place });
    expect(found?.damage).toBe(error);
    expect(found?.tornTail).toBeUndefined();
    expect(await codeOf(store.append(null, "x"))).toBe("CORRUPT_PARTITION");
    await store.close();
    expect(readFileSync(join(directory, "0", LOG))).toEqual(Buffer.from(log));
    return;
  }
  expect(read.length).toBeGreaterThanOrEqual(least);
  if (end < log.length) {
    expect(found?.tornTail).toMatchObject({ file: `0/${LOG}`, byte: end, length: log.length - end });
    expect(readFileSync(join(directory, found!.tornTail!.savedAs!))).toEqual(Buffer.from(log.subarray(end)));
  } else {
    expect(store.recovery).toEqual([]);
  }
  expect((await store.append(null, "more", { timestamp: 0 })).offset).toBe(read.length);
  expect(await values(store)).toEqual([...read, "more"]);
  await store.close();
  const again = await LogStore.open(directory);
  expect(again.recovery).toEqual([]);
  expect(await values(again)).toEqual([...read, "more"]);
  await again.close();
}

test("a killed store is recovered completely", async () => {
  const store = await open(await killedAfter(range(20), { segmentBytes: 300 }));
  expect(await values(store)).toEqual(range(20));
  expect(store.recovery).toEqual([]);
  expect((await store.append(null, "next")).offset).toBe(20);
});

test("an active segment truncated at every byte", MANY_SYNCS, async () => {
  const all = range(7);
  const killed = await killedAfter(all);
  const log = readFileSync(join(killed, "0", LOG));
  const ends = batchEnds(log);
  for (let size = 0; size <= log.length; size++) {
    const copy = crashCopy(killed);
    truncateSync(join(copy, "0", LOG), size);
    const whole = ends.filter((end) => end <= size).length;
    await checkRecovered(copy, all, whole, log.subarray(0, size), ends);
  }
});

test("an active segment with every byte flipped", MANY_SYNCS, async () => {
  const all = range(6);
  const killed = await killedAfter(all);
  const log = readFileSync(join(killed, "0", LOG));
  for (let byte = 0; byte < log.length; byte++) {
    const copy = crashCopy(killed);
    flip(join(copy, "0", LOG), byte, 1 << (byte % 8));
    // Each batch proves that the ones before it were durable, so that only the last one is not
    // proven.
    await checkRecovered(copy, all, all.length - 1, readFileSync(join(copy, "0", LOG)), batchEnds(log));
  }
});

test("zeros after the end of the log were written ahead: they are truncated, and not reported", async () => {
  const directory = temporaryDirectory();
  const store = await open(directory);
  await appendOneByOne(store, range(20));
  const killed = crashCopy(directory);
  const path = join(killed, "0", LOG);
  const written = readFileSync(path);
  cutZeros(path);
  const log = readFileSync(path);
  expect(written.length).toBeGreaterThan(log.length);
  for (const zeros of [1, 71, 5000, 3_000_000]) {
    const copy = crashCopy(killed);
    writeFileSync(join(copy, "0", LOG), Buffer.concat([log, Buffer.alloc(zeros)]));
    const again = await open(copy);
    expect(again.recovery).toEqual([]);
    expect(await values(again)).toEqual(range(20));
    expect(readFileSync(join(copy, "0", LOG))).toEqual(log);
    await again.append(null, "on");
    await again.close();
    expect(readdirSync(join(copy, "0")).filter((name) => name.endsWith(".torn"))).toEqual([]);
    expect(readFileSync(join(copy, "0", LOG)).length).toBeLessThan(log.length + 100); // no zeros are left
  }
});

test("other bytes after megabytes of zeros are saved together with them", async () => {
  const killed = await killedAfter(range(3));
  const path = join(killed, "0", LOG);
  const tail = Buffer.concat([Buffer.alloc(2_500_000), Buffer.from("something")]);
  writeFileSync(path, Buffer.concat([readFileSync(path), tail]));
  const store = await open(killed);
  const { tornTail } = store.recovery[0]!;
  expect(readFileSync(join(killed, tornTail!.savedAs!)).equals(tail)).toBe(true);
});

test.each(["garbage", "a torn batch"])("%s after the end of the log is saved and truncated", async (kind) => {
  const killed = await killedAfter(range(3));
  const path = join(killed, "0", LOG);
  const log = readFileSync(path);
  const tail = {
    garbage: Buffer.from("LSB\u0001LSB\u0001 not a batch at all ".repeat(20)),
    "a torn batch": log.subarray(0, 80),
  }[kind]!;
  writeFileSync(path, Buffer.concat([log, tail]));
  await checkRecovered(killed, range(3), 3, Buffer.concat([log, tail]), batchEnds(log));
});

test("a batch of a newer format version is not a torn tail: nothing is truncated", async () => {
  const killed = await killedAfter(range(3));
  const path = join(killed, "0", LOG);
  const newer = Buffer.from(readFileSync(path).subarray(0, 200));
  newer[3] = 2;
  writeServerHalf(newer, { baseOffset: 3, appendTime: 0, flushedUpTo: 3 }); // every version keeps the server half
  const log = Buffer.concat([readFileSync(path), newer]);
  writeFileSync(path, log);
  const store = await open(killed);
  expect((await valuesUntilError(store)).read).toEqual(range(3));
  expect(await codeOf(store.append(null, "x"))).toBe("CORRUPT_PARTITION");
  expect(readFileSync(path)).toEqual(log);
});

test("a valid header after the damage proves it, although its own records were torn off", async () => {
  const killed = await killedAfter(range(4));
  const path = join(killed, "0", LOG);
  const ends = batchEnds(readFileSync(path));
  flip(path, ends[1]! + 74); // in the records of v2, which was durable when v3 was written
  truncateSync(path, ends[3]! - 1);
  const store = await open(killed);
  expect(store.recovery[0]?.damage).toMatchObject({ offset: 2, byte: ends[1] });
});

test("records that a checkpoint proves durable are never truncated", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory);
  await appendOneByOne(store, range(4));
  await store.close();
  const log = readFileSync(join(directory, "0", LOG));
  for (let size = 0; size < log.length; size += 7) {
    const copy = crashCopy(directory);
    truncateSync(join(copy, "0", LOG), size);
    const cut = await LogStore.open(copy);
    const { read, error } = await valuesUntilError(cut);
    expect(error).toMatchObject({ code: "CORRUPT_PARTITION", partition: 0, offset: read.length });
    expect(read).toEqual(range(4).slice(0, read.length));
    await cut.close();
    expect(readFileSync(join(copy, "0", LOG)).length).toBe(size);
  }
});

test("a reader reports bit rot below the checkpoint: file, byte, offset", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory);
  await appendOneByOne(store, range(4));
  await store.close();
  const log = readFileSync(join(directory, "0", LOG));
  const ends = [0, ...batchEnds(log)];
  for (let byte = 0; byte < log.length; byte += 3) {
    const copy = crashCopy(directory);
    flip(join(copy, "0", LOG), byte);
    const rotten = await LogStore.open(copy);
    const at = ends.findLastIndex((end) => end <= byte);
    const { read, error } = await valuesUntilError(rotten);
    expect(read).toEqual(range(4).slice(0, at));
    const place = { partition: 0, file: `0/${LOG}`, byte: ends[at], offset: at };
    expect(error).toMatchObject({ code: "CORRUPT_PARTITION", ...place });
    await rotten.close();
  }
});

test("records accepted under higher limits are kept, and can be read", async () => {
  const large = "x".repeat(10_000);
  for (const home of [await killedAfter(["a", large, "b", large]), await closedWith(["a", large, "b", large])]) {
    const store = await open(home, { maxBatchBytes: 1000 });
    expect(store.recovery).toEqual([]);
    expect(await values(store)).toEqual(["a", large, "b", large]);
    expect(await codeOf(store.append(null, large))).toBe("RECORD_TOO_LARGE");
    expect((await store.append(null, "c")).offset).toBe(4);
  }
});

async function closedWith(all: readonly string[]): Promise<string> {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory);
  await appendOneByOne(store, all);
  await store.close();
  return directory;
}

test("a damaged partition can be read up to the damage and accepts no appends; the others are served", async () => {
  const directory = temporaryDirectory();
  const live = await open(directory, { partitions: 3 });
  for (const partition of [0, 1, 2]) await appendOneByOne(live, range(3), partition);
  const copy = crashCopy(directory);
  cutZeros(join(copy, "1", LOG));
  const ends = batchEnds(readFileSync(join(copy, "1", LOG)));
  flip(join(copy, "1", LOG), ends[0]! + 20);
  const store = await open(copy);
  expect(store.recovery.map(({ partition }) => partition)).toEqual([1]);
  for (const partition of [0, 2]) {
    expect((await store.append(null, "new", { partition })).offset).toBe(3);
    expect(await values(store, partition)).toEqual([...range(3), "new"]);
  }
  const { read, error } = await valuesUntilError(store, 1);
  expect(read).toEqual(["v0"]);
  expect(error).toMatchObject({ code: "CORRUPT_PARTITION", partition: 1, file: `1/${LOG}`, byte: ends[0], offset: 1 });
  for (const append of [store.append(null, "x", { partition: 1 }), store.appendMany(1, [{ value: "x" }])])
    expect(await codeOf(append)).toBe("CORRUPT_PARTITION");
  expect(await codeOf(store.tail(1)[Symbol.asyncIterator]().next())).toBe("CORRUPT_PARTITION");
});

/** Four segments: 0 to 2, 3 to 5, 6 to 8, and 9 in the active one. */
async function segmented(close: boolean): Promise<{ directory: string; logs: string[] }> {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory, { segmentBytes: 250 });
  onTestFinished(() => store.close());
  await appendOneByOne(store, range(10));
  if (close) await store.close();
  const copy = crashCopy(directory);
  const logs = readdirSync(join(copy, "0"))
    .filter((name) => name.endsWith(".log"))
    .sort();
  expect(logs.map((name) => Number.parseInt(name, 10))).toEqual([0, 3, 6, 9]);
  return { directory: copy, logs: logs.map((name) => join(copy, "0", name)) };
}

test.each([true, false])("every way of reading detects a missing middle segment (closed: %s)", async (close) => {
  const { directory, logs } = await segmented(close);
  rmSync(logs[1]!);
  const store = await open(directory, { segmentBytes: 250 });
  const missing = { code: "CORRUPT_PARTITION", partition: 0, offset: 3, file: "0/00000000000000000000.log" };
  expect(await valuesUntilError(store)).toMatchObject({ read: ["v0", "v1", "v2"], error: missing });
  for (const from of [3, 4, 5])
    expect((await valuesUntilError(store, 0, from)).error).toMatchObject({ code: "CORRUPT_PARTITION", offset: from });
  expect(await values(store, 0, 6)).toEqual(["v6", "v7", "v8", "v9"]);
});

test("a middle segment that is damaged, with and without a checkpoint", async () => {
  const { directory, logs } = await segmented(false);
  flip(logs[1]!, 80);
  const place = { code: "CORRUPT_PARTITION", partition: 0, offset: 4, file: "0/00000000000000000003.log" };
  const store = await open(directory, { segmentBytes: 250 });
  expect(await valuesUntilError(store)).toMatchObject({ read: range(4), error: place });
  expect(await values(store, 0, 6)).toEqual(["v6", "v7", "v8", "v9"]);
  expect((await store.append(null, "on")).offset).toBe(10);
  await store.close();
  rmSync(join(directory, "0", "checkpoint"));
  const checked = await open(directory);
  expect(checked.recovery[0]?.damage).toMatchObject(place);
  expect(await valuesUntilError(checked)).toMatchObject({ read: range(4), error: place });
  const late = await checked
    .read(0, { from: { time: Number.MAX_SAFE_INTEGER } })
    [Symbol.asyncIterator]()
    .next()
    .catch((e) => e);
  expect(late).toMatchObject({ code: "CORRUPT_PARTITION" });
});

test("a missing first segment is detected, and no appends are accepted after the gap", async () => {
  const { directory, logs } = await segmented(true);
  rmSync(logs[0]!);
  const store = await open(directory, { segmentBytes: 250 });
  const missing = { code: "CORRUPT_PARTITION", partition: 0, offset: 0 };
  expect(await valuesUntilError(store)).toMatchObject({ read: [], error: missing });
  expect(await codeOf(store.append(null, "x"))).toBe("CORRUPT_PARTITION");
});

test("a reader whose end is after a missing segment fails there", async () => {
  const { directory, logs } = await segmented(true);
  const [first] = batchEnds(readFileSync(logs[1]!));
  const second = readFileSync(logs[1]!).subarray(first);
  writeFileSync(logs[1]!, second); // offset 3 is missing from the file that begins with it
  const log = (await open(directory, { segmentBytes: 250 })).log(0);
  const found = await caught(log.reader(3).next({ maxBytes: 1000, until: 4 }));
  expect(found).toMatchObject({ code: "CORRUPT_PARTITION", offset: 3 });
});

test("a torn batch whose values contain batches of another log is a torn tail", async () => {
  const other = await killedAfter(range(40));
  const mirrored = readFileSync(join(other, "0", LOG));
  const killed = await killedAfter(["a", "b"]);
  const path = join(killed, "0", LOG);
  const whole = readFileSync(path).length;
  const store = await open(killed);
  await store.append(null, mirrored);
  const torn = crashCopy(killed);
  cutZeros(join(torn, "0", LOG));
  truncateSync(join(torn, "0", LOG), readFileSync(join(torn, "0", LOG)).length - 10);
  const again = await open(torn);
  expect(again.recovery).toMatchObject([{ tornTail: { byte: whole }, damage: undefined }]);
  expect(await values(again)).toEqual(["a", "b"]);
});

test.each([true, false])("a missing last segment is detected (closed: %s)", async (close) => {
  const { directory, logs } = await segmented(close);
  rmSync(logs[3]!);
  rmSync(join(directory, "lock"), { force: true });
  const before = everyFile(directory);
  const store = await open(directory);
  expect(store.recovery[0]?.damage).toMatchObject({ code: "CORRUPT_PARTITION", partition: 0, offset: 9 });
  expect((await valuesUntilError(store)).read).toEqual(range(9));
  expect(await codeOf(store.append(null, "x"))).toBe("CORRUPT_PARTITION");
  await store.close();
  expect(everyFile(directory)).toEqual(before);
});

test("the loss of all segments is detected", async () => {
  for (const killed of [await killedAfter(["a"]), await closedWith(["a"])]) {
    rmSync(join(killed, "0", LOG));
    const store = await open(killed);
    expect((await caught(values(store))).code).toBe("CORRUPT_PARTITION");
    expect(await codeOf(store.append(null, "x"))).toBe("CORRUPT_PARTITION");
  }
});

test("a checkpoint that is missing, damaged or of a newer version only costs work", async () => {
  const { directory } = await segmented(true);
  const checkpoint = readFileSync(join(directory, "0", "checkpoint"));
  const contents = [undefined, Buffer.alloc(0), checkpoint.subarray(0, 20), Buffer.from("{}\n00000000\n")];
  for (let byte = 0; byte < checkpoint.length; byte += 11) {
    const flipped = Buffer.from(checkpoint);
    flipped[byte]! ^= 2;
    contents.push(flipped);
  }
  for (const content of contents) {
    const copy = crashCopy(directory);
    const path = join(copy, "0", "checkpoint");
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content);
    const store = await LogStore.open(copy);
    expect(store.recovery).toEqual([]);
    expect(await values(store)).toEqual(range(10));
    expect((await store.append(null, "on")).offset).toBe(10);
    await store.close();
  }
});

test("a checkpoint older than the log: later batches are found", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory);
  await appendOneByOne(store, range(3));
  await store.close();
  const old = readFileSync(join(directory, "0", "checkpoint"));
  const again = await LogStore.open(directory);
  await appendOneByOne(again, range(3, "w"));
  await again.close();
  writeFileSync(join(directory, "0", "checkpoint"), old);
  expect(await values(await open(directory))).toEqual([...range(3), ...range(3, "w")]);
});

test("a checkpoint newer than the log: damage, and nothing is truncated", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory);
  await appendOneByOne(store, range(3));
  await store.close();
  copyFileSync(join(directory, "0", LOG), join(directory, "old"));
  const again = await LogStore.open(directory);
  await appendOneByOne(again, range(3, "w"));
  await again.close();
  renameSync(join(directory, "old"), join(directory, "0", LOG));
  const cut = await open(directory);
  expect(await valuesUntilError(cut)).toMatchObject({
    read: range(3),
    error: { code: "CORRUPT_PARTITION", offset: 3 },
  });
});

test("leftovers of a crash: temporary files are removed, an empty new segment is used", async () => {
  const killed = await killedAfter(range(3));
  writeFileSync(join(killed, "0", "checkpoint.tmp"), "half a checkp");
  writeFileSync(join(killed, "store.json.tmp"), "{");
  writeFileSync(join(killed, "0", "00000000000000000003.log"), "");
  const store = await open(killed);
  expect(store.recovery).toEqual([]);
  expect((await store.append(null, "on")).offset).toBe(3);
  expect(await values(store)).toEqual([...range(3), "on"]);
  expect(existsSync(join(killed, "0", "checkpoint.tmp"))).toBe(false);
  expect(readFileSync(join(killed, "0", "00000000000000000003.log")).length).toBeGreaterThan(75);
});

test("a segment after a torn tail is saved together with it", async () => {
  const killed = await killedAfter(range(3));
  const { length } = readFileSync(join(killed, "0", LOG));
  writeFileSync(join(killed, "0", "00000000000000000009.log"), "");
  writeFileSync(join(killed, "0", "00000000000000000009.index"), "of it");
  const store = await open(killed);
  expect(store.recovery).toMatchObject([{ damage: undefined, tornTail: { byte: length, length: 0 } }]);
  expect(existsSync(join(killed, "0", "00000000000000000009.index"))).toBe(false);
  const [later] = store.recovery[0]!.tornTail!.laterSavedAs;
  expect(existsSync(join(killed, later!))).toBe(true);
  expect((await store.append(null, "on")).offset).toBe(3);
});

test("any number of segments that were never synced may be torn", async () => {
  const directory = temporaryDirectory();
  const storage = new HookedStorage(new NodeStorage());
  const live = await open(directory, { storage, segmentBytes: 250, durability: "written" });
  await appendOneByOne(live, range(3));
  const goesOn = Promise.withResolvers<void>();
  storage.before = ({ kind }) => (kind === "sync" ? goesOn.promise : undefined); // the disk is slow
  await appendOneByOne(live, range(2, "w"));
  const killed = crashCopy(directory);
  goesOn.resolve();
  const [first, second] = [join(killed, "0", LOG), join(killed, "0", "00000000000000000003.log")];
  const [log, later] = [readFileSync(first), readFileSync(second)];
  truncateSync(first, log.length - 10); // a power failure may truncate the first segment although the second one is complete
  const store = await open(killed);
  const { tornTail, damage } = store.recovery[0]!;
  expect(damage).toBeUndefined();
  const [, byte] = batchEnds(log);
  expect(tornTail).toMatchObject({ file: `0/${LOG}`, byte, length: log.length - 10 - byte! });
  expect(readFileSync(join(killed, tornTail!.savedAs!))).toEqual(log.subarray(byte, -10));
  expect(readFileSync(join(killed, tornTail!.laterSavedAs[0]!))).toEqual(later);
  expect(await values(store)).toEqual(range(2));
  expect(await store.append(null, "on")).toMatchObject({ offset: 2 });
  await store.close();
  const again = await open(killed);
  expect(again.recovery).toEqual([]);
  expect(await values(again)).toEqual([...range(2), "on"]);
});

test("if a later segment proves an earlier one durable, its damage is not a torn tail", async () => {
  const directory = temporaryDirectory();
  const live = await open(directory, { segmentBytes: 250 });
  await appendOneByOne(live, range(5));
  const killed = crashCopy(directory);
  rmSync(join(killed, "0", "checkpoint"));
  const [, byte] = batchEnds(readFileSync(join(killed, "0", LOG)));
  truncateSync(join(killed, "0", LOG), byte! + 50);
  const store = await open(killed);
  const place = { file: `0/${LOG}`, byte, offset: 2 };
  expect(store.recovery).toMatchObject([{ tornTail: undefined, damage: place }]);
});

test("after a crash before store.json was renamed, a store can be created", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "store.json.tmp"), '{ "format": "logst');
  writeFileSync(join(directory, "lock"), "12345\n");
  const store = await open(directory, { partitions: 2 });
  await store.append("k", "v");
  expect(JSON.parse(readFileSync(join(directory, "store.json"), "utf8"))).toMatchObject({ partitions: 2 });
});

test("a crash during recovery: the bytes are saved before they are truncated", async () => {
  const killed = await killedAfter(range(3));
  const path = join(killed, "0", LOG);
  const tail = Buffer.from("half a batch");
  writeFileSync(path, Buffer.concat([readFileSync(path), tail]));
  const storage = new HookedStorage(new NodeStorage());
  storage.before = ({ kind }) => {
    if (kind === "truncate") throw new Error("crash");
  };
  await expect(LogStore.open(killed, { storage })).rejects.toThrow("crash");
  const kinds = storage.calls.filter(({ path: at }) => at.includes("torn") || at.endsWith("/0"));
  expect(kinds.map(({ kind }) => kind)).toEqual(["createFile", "write", "sync", "syncDirectory"]);
  const store = await open(killed);
  expect(readFileSync(join(killed, store.recovery[0]!.tornTail!.savedAs!))).toEqual(tail);
  expect(await lines(store)).toEqual(["0 v0", "1 v1", "2 v2"]);
});

test("recovered batches are synced before later batches declare them durable", async () => {
  const killed = await killedAfter(range(3), { durability: "written" });
  const storage = new HookedStorage(new NodeStorage());
  await open(killed, { storage });
  expect(storage.calls.map(({ kind, path }) => `${kind} ${path.slice(-LOG.length)}`)).toContain(`sync ${LOG}`);
});

test("a batch whose offset does not follow is not part of the log", async () => {
  const killed = await killedAfter(range(2));
  const path = join(killed, "0", LOG);
  const builder = new RecordBatchBuilder();
  builder.append(null, "stray", 0);
  const stray = builder.seal();
  writeServerHalf(stray, { baseOffset: 7, appendTime: 1, flushedUpTo: 0 });
  const sound = readFileSync(path);
  const log = Buffer.concat([sound, stray]);
  writeFileSync(path, log);
  await checkRecovered(killed, range(2), 2, log, batchEnds(sound));
});
