/** Opening after a crash on a disk that is slow or fails, and with much data to check. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { failAt, HookedStorage } from "../../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, lines, range, text, values } from "../../../test/records.js";
import { crashCopy, cutZeros, everyFile, logBytes, temporaryDirectory } from "../../../test/temporary-directory.js";
import { Broker, LogStore, type LogStoreOptions, NodeStorage } from "../../index.js";

const LOG = "00000000000000000000.log";
const MIB = 1024 * 1024;

async function open(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open(directory, options);
  onTestFinished(() => store.close().catch(() => {}));
  return store;
}

/** A copy of a store that was killed after it had appended these values. */
async function killedAfter(all: readonly string[], options: LogStoreOptions = {}): Promise<string> {
  const directory = temporaryDirectory();
  const store = await open(directory, options);
  for (let partition = 0; partition < store.partitionCount; partition++) await appendOneByOne(store, all, partition);
  const copy = crashCopy(directory);
  for (let partition = 0; partition < store.partitionCount; partition++) cutZeros(join(copy, String(partition), LOG));
  return copy;
}

test.each([
  ["openFile", `1/${LOG}`],
  ["read", `1/${LOG}`],
  ["read", "1/checkpoint"],
  ["write", `1/${LOG}`],
  ["sync", `1/${LOG}`],
  ["syncDirectory", "/1"],
] as const)("an I/O error on open (%s of %s) affects only that partition", async (kind, path) => {
  const directory = await killedAfter(range(5), { partitions: 3, durability: "written" });
  const storage = new HookedStorage(new NodeStorage());
  storage.before = failAt(kind, 1, path, true);
  const before = everyFile(join(directory, "1"));
  const watermarks = readFileSync(join(directory, "watermarks"));
  const store = await open(directory, { storage });
  const isReadable = kind === "write" || kind === "sync" || kind === "syncDirectory";
  const error = { code: "STORAGE_FAILED", partition: 1, cause: { code: "EIO" } };
  expect(store.recovery).toMatchObject([{ partition: 1, [isReadable ? "failure" : "damage"]: error }]);
  expect(store.failedPartitions).toEqual([1]);
  for (const partition of [0, 2]) {
    expect(await values(store, partition)).toEqual(range(5));
    expect((await store.append(null, "on", { partition })).offset).toBe(5);
  }
  const calls = [
    store.append(null, "x", { partition: 1 }),
    store.appendMany(1, [{ value: "x" }]),
    ...(isReadable ? [] : [values(store, 1), store.tail(1)[Symbol.asyncIterator]().next()]),
    store.flush(1),
    store.deleteRecords(1, 1),
  ].map(caught); // all at once, so that none is an unhandled rejection while another is awaited
  for (const call of calls) expect(await call).toMatchObject({ code: "STORAGE_FAILED", partition: 1 });
  if (isReadable) expect(await values(store, 1)).toEqual(range(5));
  await store.applyRetention();
  expect(everyFile(join(directory, "1"))).toEqual(before);
  await store.close();
  // The published bounds of the partition do not change.
  expect(readFileSync(join(directory, "watermarks")).subarray(24, 48)).toEqual(watermarks.subarray(24, 48));
  const again = await open(directory);
  expect(again.recovery).toEqual([]);
  expect((await again.append(null, "on", { partition: 1 })).offset).toBe(5);
  expect(await values(again, 1)).toEqual([...range(5), "on"]);
});

test("a broker reports the topic of a partition that could not be read", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage });
  for (const topic of ["t", "u"]) {
    await broker.createTopic({ topic, partitions: 1 });
    await appendOneByOne(broker.topic(topic), range(3));
  }
  storage.before = failAt("read", 1, LOG);
  const again = await Broker.open("data", { storage }); // the first broker crashed
  const [found, ...others] = again.recovery.partitions;
  expect(others).toEqual([]);
  expect(found).toMatchObject({ partition: 0, damage: { code: "STORAGE_FAILED" } });
  const other = found!.topic === "t" ? "u" : "t";
  expect(await values(again.topic(other))).toEqual(range(3));
  await again.close();
});

test("an error other than of the disk fails the opening of the store", async () => {
  const directory = await killedAfter(range(3));
  const storage = new HookedStorage(new NodeStorage());
  storage.before = ({ path }) => {
    if (path.endsWith(LOG)) throw Object.assign(new Error("EFAULT: bad address"), { code: "EFAULT" });
  };
  expect(await codeOf(LogStore.open(directory, { storage }))).toBe("STORAGE_FAILED");
  expect(await values(await open(directory))).toEqual(range(3));
});

/** A storage that records the writes to a log and its syncs. */
function recording(): { storage: HookedStorage; log: ({ position: number; bytes: Buffer } | "sync")[] } {
  const storage = new HookedStorage(new NodeStorage());
  const log: ({ position: number; bytes: Buffer } | "sync")[] = [];
  const { openFile } = storage;
  storage.openFile = async (path, access) => {
    const file = await openFile.call(storage, path, access);
    const { write } = file;
    if (path.endsWith(".log")) {
      file.write = (buffers, position) => {
        log.push({ position, bytes: Buffer.concat(buffers) });
        return write(buffers, position);
      };
    }
    return file;
  };
  storage.before = ({ kind, path }) => {
    if (kind === "sync" && path.endsWith(".log")) log.push("sync");
  };
  return { storage, log };
}

test.each([
  ["a few records", range(5), 0],
  ["several MiB", range(5).map((value) => value.padEnd(MIB - 1000, ".")), 3 * MIB],
] as const)("what is not known to be durable is written again before it is synced: %s", async (_, all, least) => {
  const directory = await killedAfter(all, { durability: "written" });
  const content = readFileSync(join(directory, "0", LOG));
  const { storage, log } = recording();
  const store = await open(directory, { storage });
  expect(log.at(-1)).toBe("sync");
  const writes = log.slice(0, -1) as { position: number; bytes: Buffer }[];
  let end = 0;
  for (const { position, bytes } of writes) {
    expect(position).toBe(end); // none of it had been synced
    expect(bytes.equals(content.subarray(position, position + bytes.length))).toBe(true);
    end += bytes.length;
  }
  expect(end).toBe(content.length);
  expect(end).toBeGreaterThanOrEqual(least);
  expect(readFileSync(join(directory, "0", LOG)).equals(content)).toBe(true);
  expect(await values(store)).toEqual(all);
});

test("data that is known to be durable is not rewritten", async () => {
  const large = range(8).map((value) => value.padEnd(100_000, "."));
  const directory = await killedAfter(large); // each append was flushed: only the last one is not proven to be durable
  const size = logBytes(join(directory, "0", LOG)).length;
  const { storage, log } = recording();
  await (await open(directory, { storage })).close();
  const [write, then] = log as [{ position: number; bytes: Buffer }, string];
  expect(then).toBe("sync");
  expect(write.position + write.bytes.length).toBe(size);
  expect(write.bytes.length).toBeGreaterThan(100_000);
  expect(write.bytes.length).toBeLessThan(250_000);
  const closed = recording();
  await (await open(directory, { storage: closed.storage })).close();
  expect(closed.log).toEqual([]);
});

test("a torn tail of several MiB is saved completely, and truncated", async () => {
  const directory = await killedAfter(range(3));
  const path = join(directory, "0", LOG);
  const sound = readFileSync(path);
  const tail = Buffer.from(Array.from({ length: 3.5 * MIB }, (_, i) => (i * 7 + (i >> 12)) & 0xff));
  appendFileSync(path, tail);
  const store = await open(directory);
  const { tornTail, damage } = store.recovery[0]!;
  expect(damage).toBeUndefined();
  expect(tornTail).toMatchObject({ file: `0/${LOG}`, byte: sound.length, length: tail.length });
  expect(readFileSync(join(directory, tornTail!.savedAs!)).equals(tail)).toBe(true);
  expect(readFileSync(path).equals(sound)).toBe(true);
  expect((await store.append(null, "on")).offset).toBe(3);
  expect(await lines(store)).toEqual(["0 v0", "1 v1", "2 v2", "3 on"]);
});

test.each([-60, -36, -20, -3, 0, 1, 2 * MIB - 20])(
  "megabytes of damage, followed, at the border of a read (%d), by a header that proves them durable",
  async (beyondMib) => {
    const directory = temporaryDirectory();
    const live = await open(directory);
    await live.append(null, "first", { timestamp: 0 });
    const first = logBytes(join(directory, "0", LOG)).length;
    await live.append(null, "x".repeat(MIB + beyondMib - 100), { timestamp: 0 });
    const padding = MIB + beyondMib - (logBytes(join(directory, "0", LOG)).length - first);
    await live.close();

    const second = temporaryDirectory();
    const store = await open(second);
    await store.append(null, "first", { timestamp: 0 });
    await store.append(null, "x".repeat(MIB + beyondMib - 100 + padding), { timestamp: 0 });
    const end = logBytes(join(second, "0", LOG)).length;
    expect(end - first).toBe(MIB + beyondMib);
    await store.append(null, "last", { timestamp: 0 });
    const copy = crashCopy(second);
    const path = join(copy, "0", LOG);
    const log = readFileSync(path);
    log.fill(0xa5, first, end);
    writeFileSync(path, log);

    const damaged = await open(copy);
    expect(damaged.recovery).toMatchObject([
      { tornTail: undefined, damage: { code: "CORRUPT_PARTITION", offset: 1, byte: first } },
    ]);
    expect(await damaged.repair({ dryRun: false })).toMatchObject([
      { byte: first, length: end - first, offset: 1, nextOffset: 2 },
    ]);
    expect((await Array.fromAsync(damaged.read(0))).map(({ value }) => text(value))).toEqual(["first", "last"]);
  },
);
