/**
 * Reading a store that another process writes to: exactly the published records are read, and
 * nothing is changed.
 */
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32c } from "@logstore/codec";
import { expect, onTestFinished, test, vi } from "vitest";
import { runElsewhere } from "../../test/another-process.js";
import { HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, range, text } from "../../test/records.js";
import { crashCopy, everyFile, temporaryDirectory } from "../../test/temporary-directory.js";
import {
  type LogRecord,
  LogStore,
  type LogStoreOptions,
  NodeStorage,
  type Position,
  type ReadOnlyLogStore,
} from "../index.js";

const LOG = "00000000000000000000.log";
/** Three records per segment. */
const SEGMENT_BYTES = 250;

async function readOnly(directory: string, storage?: HookedStorage): Promise<ReadOnlyLogStore> {
  const store = await LogStore.openReadOnly(directory, { storage });
  onTestFinished(() => store.close());
  return store;
}

async function writer(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open(directory, { segmentBytes: SEGMENT_BYTES, ...options });
  onTestFinished(() => store.close().catch(() => {}));
  return store;
}

/** A writer and a reader of the same files in memory. */
async function both(options: LogStoreOptions = {}) {
  const storage = new HookedStorage();
  const store = await writer("store", { storage, ...options });
  return { storage, store, reader: await readOnly("store", storage) };
}

async function read(store: ReadOnlyLogStore, partition = 0, from: Position = "earliest"): Promise<string[]> {
  return (await Array.fromAsync(store.read(partition, { from }))).map(({ value }) => text(value)!);
}

async function next(tail: AsyncIterator<LogRecord>): Promise<string | undefined> {
  const { value } = await tail.next();
  return value && `${value.offset} ${text(value.value)}`;
}

/** Waits until the reader knows of `endOffset`. */
async function heard(reader: ReadOnlyLogStore, endOffset: number, partition = 0): Promise<void> {
  await expect.poll(() => reader.partition(partition).endOffset, { interval: 2 }).toBe(endOffset);
}

/** A closed store with these values, each in a batch of its own. */
async function closedWith(all: readonly string[], options: LogStoreOptions = {}): Promise<string> {
  const directory = temporaryDirectory();
  const store = await writer(directory, options);
  await appendOneByOne(store, all);
  await store.close();
  return directory;
}

/** The state of the same store after a kill -9. */
async function killedWith(all: readonly string[], options: LogStoreOptions = {}): Promise<string> {
  const directory = temporaryDirectory();
  const store = await writer(directory, { segmentBytes: 1_000_000, ...options });
  await appendOneByOne(store, all);
  return crashCopy(directory);
}

/** Bounds of partition 0 in a store's `watermarks`. */
function writeWatermark(directory: string, logStart: number, highWatermark: number): void {
  const slot = Buffer.alloc(24);
  slot.writeBigUInt64LE(BigInt(logStart), 0);
  slot.writeBigUInt64LE(BigInt(highWatermark), 8);
  slot.writeUInt32LE(crc32c(slot, 0, 16), 16);
  writeFileSync(join(directory, "watermarks"), slot);
}

test("all methods, without a writer", async () => {
  const directory = await closedWith(range(10), { partitions: 2, segmentBytes: SEGMENT_BYTES });
  const written = await writer(directory);
  await written.append(null, "in 1", { partition: 1 });
  await written.close();
  const store = await readOnly(`${directory}/`);
  expect(store.partitionCount).toBe(2);
  expect(store.partition(0)).toMatchObject({ index: 0, startOffset: 0, endOffset: 10 });
  for (let from = 0; from <= 10; from++) expect(await read(store, 0, from)).toEqual(range(10).slice(from));
  expect(await read(store, 1)).toEqual(["in 1"]);
  expect(await read(store, 0, { time: 0 })).toEqual(range(10));
  expect(await read(store, 0, "latest")).toEqual([]);
  using slice = await store.partition(0).slice(4, 1000);
  expect(slice).toMatchObject({ nextOffset: 6, fd: expect.any(Number) });
  expect(await codeOf(read(store, 0, 11))).toBe("OFFSET_OUT_OF_RANGE");
  for (const call of [() => store.read(2), () => store.tail(-1), () => store.partition(2)])
    expect(call).toThrow(expect.objectContaining({ code: "UNKNOWN_PARTITION" }));
  const tail = store.tail(0, { from: 9 })[Symbol.asyncIterator]();
  expect(await next(tail)).toBe("9 v9");
  await tail.return?.();
});

test("a directory without a log store is refused and not modified", async () => {
  const directory = temporaryDirectory();
  expect(await codeOf(LogStore.openReadOnly(directory))).toBe("NOT_A_LOG_STORE");
  expect(await codeOf(LogStore.openReadOnly(join(directory, "missing")))).toBe("NOT_A_LOG_STORE");
  expect(readdirSync(directory)).toEqual([]);
  writeFileSync(join(directory, "notes.txt"), "mine");
  expect(await codeOf(LogStore.openReadOnly(directory))).toBe("NOT_A_LOG_STORE");
});

test("records are visible once acknowledged, across rolls, starting before the first one", async () => {
  const { store, reader } = await both({ partitions: 2 });
  expect(await read(reader)).toEqual([]);
  const tails = [0, 1].map((partition) => reader.tail(partition, { from: 0 })[Symbol.asyncIterator]());
  for (let i = 0; i < 12; i++) {
    for (const partition of [0, 1]) {
      const seen = next(tails[partition]!);
      await store.append(null, `v${i}`, { partition });
      expect(await seen).toBe(`${i} v${i}`);
    }
  }
  expect(await read(reader, 1)).toEqual(range(12));
});

test("unacknowledged records are not visible: a delayed sync", async () => {
  const { store, storage, reader } = await both();
  await store.append(null, "first");
  await heard(reader, 1);
  const sync = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  storage.before = ({ kind, path }) => {
    if (kind !== "sync" || !path.endsWith(LOG)) return;
    begun.resolve();
    return sync.promise;
  };
  const append = store.append(null, "second");
  const tail = reader.tail(0, { from: 1 })[Symbol.asyncIterator]();
  let seen = false;
  const second = next(tail).finally(() => {
    seen = true;
  });
  await begun.promise;
  await reader.look();
  const late = await readOnly("store", storage); // it finds the bytes in the file
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const each of [reader, late]) {
    expect(await read(each)).toEqual(["first"]);
    expect(each.partition(0).endOffset).toBe(1);
    expect(await codeOf(read(each, 0, 2))).toBe("OFFSET_OUT_OF_RANGE");
    expect(await each.partition(0).slice(0, 1000)).toMatchObject({ nextOffset: 1 });
  }
  expect(seen).toBe(false);
  storage.before = () => {};
  sync.resolve();
  await append;
  expect(await second).toBe("1 second");
  await heard(late, 2);
  expect(await read(late)).toEqual(["first", "second"]);
});

test("following continues after the writer crashed and was reopened", async () => {
  const { store, storage, reader } = await both();
  await appendOneByOne(store, range(5));
  const tail = reader.tail(0, { from: 0 })[Symbol.asyncIterator]();
  for (let i = 0; i < 5; i++) expect(await next(tail)).toBe(`${i} v${i}`);
  // Half of a batch that was never published.
  const file = await storage.inner.openFile("store/0/00000000000000000003.log", "write");
  await file.write([Buffer.from("LSB\u0001 half a batch")], await file.size());
  const again = await writer("store", { storage });
  expect(again.recovery).toMatchObject([{ tornTail: expect.anything() }]);
  await appendOneByOne(again, range(5, "w"));
  for (let i = 0; i < 5; i++) expect(await next(tail)).toBe(`${i + 5} w${i}`);
});

test("without change notifications, changes are found within a second", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const storage = new HookedStorage();
  storage.watch = async () => {
    throw new Error("ENOSYS");
  };
  const store = await writer("store", { storage });
  const reader = await readOnly("store", storage);
  await store.append(null, "v");
  const first = next(reader.tail(0, { from: 0 })[Symbol.asyncIterator]());
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(reader.partition(0).endOffset).toBe(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(await first).toBe("0 v");
});

test("retention by the writer moves the reader's log start", async () => {
  const { store, reader, storage } = await both();
  await appendOneByOne(store, range(10));
  await heard(reader, 10);
  const behind = reader.read(0).batches();
  expect((await behind.next()).value).toMatchObject({ baseOffset: 0 });
  await store.deleteRecords(0, 7);
  await expect.poll(() => reader.partition(0).startOffset).toBe(7);
  expect(await read(reader)).toEqual(["v7", "v8", "v9"]);
  expect(await caught(read(reader, 0, 6))).toMatchObject({ code: "OFFSET_OUT_OF_RANGE", expected: 7 });
  const rest = (await Array.fromAsync(behind)).map(({ baseOffset }) => baseOffset);
  expect(rest.slice(-3)).toEqual([7, 8, 9]); // including what was read ahead
  expect(await read(await readOnly("store", storage))).toEqual(["v7", "v8", "v9"]);
  await store.deleteRecords(0, 10);
  await store.append(null, "on");
  await heard(reader, 11);
  expect(await read(reader)).toEqual(["on"]);
});

test("files that are removed before the reader learns of it are not damage", async () => {
  const storage = new HookedStorage();
  storage.watch = async () => () => {};
  const store = await writer("store", { storage });
  await appendOneByOne(store, range(10));
  const reader = await readOnly("store", storage);
  await store.deleteRecords(0, 7);
  expect(reader.partition(0).startOffset).toBe(0); // the reader has not learned of the new log start
  expect(await read(reader, 0, 1)).toEqual(["v7", "v8", "v9"]);
  const other = await readOnly("store", storage);
  await store.deleteRecords(0, 10);
  expect(await read(other, 0, { time: 0 })).toEqual([]);
});

test.each(["a segment is begun", "records are deleted"])("%s while the store is being opened", async (what) => {
  for (const when of ["before", "after"]) {
    const { store, storage } = await both();
    await appendOneByOne(store, range(9));
    let done = false;
    const goOn = async () => {
      if (done) return;
      done = true;
      await appendOneByOne(store, range(6));
      if (what === "records are deleted") await store.deleteRecords(0, 14);
    };
    const { list } = storage;
    storage.list = async (directory) => {
      if (directory === "store/0" && when === "before") await goOn();
      const names = await list.call(storage, directory);
      if (directory === "store/0" && when === "after") await goOn();
      return names;
    };
    const reader = await readOnly("store", storage);
    expect(done).toBe(true);
    await heard(reader, 15);
    const { startOffset } = store.partition(0);
    expect(await read(reader, 0, startOffset)).toHaveLength(15 - startOffset);
  }
});

test("nothing in the directory is modified, including a torn tail", async () => {
  const directory = await killedWith(range(5));
  const path = join(directory, "0", LOG);
  const torn = Buffer.concat([readFileSync(path), readFileSync(path).subarray(0, 90)]);
  writeFileSync(path, torn);
  writeFileSync(join(directory, "0", "checkpoint.tmp"), "half");
  const before = everyFile(directory);
  const [watermarks, time] = [readFileSync(join(directory, "watermarks")), statSync(path).mtimeMs];
  const storage = new HookedStorage(new NodeStorage());
  const accesses = new Set<string>();
  const { openFile } = storage;
  storage.openFile = (path, access) => {
    accesses.add(access);
    return openFile.call(storage, path, access);
  };
  const store = await readOnly(directory, storage);
  expect(await read(store)).toEqual(range(5));
  expect(await read(store, 0, { time: 0 })).toEqual(range(5));
  await (await store.partition(0).slice(0, 1000))!.release();
  await store.close();
  expect(everyFile(directory)).toEqual(before);
  expect(readFileSync(join(directory, "watermarks"))).toEqual(watermarks);
  expect(statSync(path).mtimeMs).toBe(time);
  expect(storage.calls).toEqual([]);
  expect([...accesses]).toEqual(["read"]);
});

test.runIf(process.getuid?.() !== 0)("files without write permission can be read", async () => {
  const directory = await closedWith(range(10));
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => join(directory, name));
  for (const path of [...paths, directory]) chmodSync(path, statSync(path).mode & ~0o222);
  onTestFinished(() => {
    for (const path of [directory, ...paths]) chmodSync(path, statSync(path).mode | 0o200);
  });
  expect(await read(await readOnly(directory))).toEqual(range(10));
});

test.each([
  ["missing", (path: string) => rmSync(path)],
  ["empty", (path: string) => writeFileSync(path, "")],
  ["cut short", (path: string) => truncateSync(path, 20)],
  ["damaged", (path: string) => writeFileSync(path, readFileSync(path).fill(1, 8, 9))],
])("watermarks that are %s say nothing: what is known to have been durable is read", async (_, damage) => {
  for (const isClosed of [false, true]) {
    const directory = await (isClosed ? closedWith : killedWith)(range(5));
    damage(join(directory, "watermarks"));
    const reader = await readOnly(directory);
    // Nothing on the disk says whether the last batch before a kill was acknowledged.
    expect(await read(reader)).toEqual(range(isClosed ? 5 : 4));
    const store = await writer(directory);
    const tail = reader.tail(0)[Symbol.asyncIterator]();
    const seen = next(tail);
    await store.append(null, "on");
    expect(await seen).toBe(isClosed ? "5 on" : "4 v4"); // the batch that opening the store has made durable
    await store.close();
  }
});

test("watermarks below the end of the log hold until it is opened for writing; those above it prove no loss", async () => {
  for (const [said, seen] of [
    [3, 3],
    [5, 5],
    [9, 5],
  ] as const) {
    const directory = await killedWith(range(5));
    writeWatermark(directory, 0, said);
    const reader = await readOnly(directory);
    expect(await read(reader)).toEqual(range(5).slice(0, seen));
    const store = await writer(directory);
    await heard(reader, 5);
    await appendOneByOne(store, range(6, "w"));
    await heard(reader, 11);
    expect(await read(reader)).toEqual([...range(5), ...range(6, "w")]);
    await store.close();
  }
});

test("damage is reported, and the records before it can be read", async () => {
  const directory = await closedWith(range(10));
  const path = join(directory, "0", "00000000000000000003.log");
  const bytes = readFileSync(path);
  bytes[90]! ^= 1;
  writeFileSync(path, bytes);
  const rotten = await readOnly(directory);
  const place = { code: "CORRUPT_PARTITION", partition: 0, file: "0/00000000000000000003.log", offset: 4 };
  expect(await caught(read(rotten))).toMatchObject(place);
  expect(await read(rotten, 0, 6)).toEqual(range(10).slice(6));
  const lacking = await closedWith(range(10));
  rmSync(join(lacking, "0", "00000000000000000009.log"));
  const cut = await readOnly(lacking);
  expect(await caught(read(cut, 0, 6))).toMatchObject({ code: "CORRUPT_PARTITION", partition: 0, offset: 9 });
  const tail = cut.tail(0, { from: 8 })[Symbol.asyncIterator]();
  expect(await next(tail)).toBe("8 v8");
  expect(await caught(tail.next())).toMatchObject({ code: "CORRUPT_PARTITION" });
});

/** Files of partition 0's log fail to be read, and to be closed, although they are closed then. */
function failing(error: Error): HookedStorage {
  const storage = new HookedStorage(new NodeStorage());
  const { openFile } = storage;
  const read = () => Promise.reject(error);
  const close = () => Promise.reject(new Error("not closed"));
  storage.openFile = async (path, access) => {
    const file = await openFile.call(storage, path, access);
    return path.endsWith(`/0/${LOG}`) ? { ...file, read, close: () => file.close().then(close) } : file;
  };
  return storage;
}

test.each(["open", "openReadOnly"] as const)("%s fails with the first error, and leaves no file open", async (open) => {
  const directory = await killedWith(range(10));
  const storage = failing(new Error("no memory"));
  await expect(LogStore[open](directory, { storage })).rejects.toThrow("no memory");
  expect(storage.openFiles).toBe(0);
});

test("a partition whose files cannot be read or closed does not hinder the others", async () => {
  const directory = await killedWith(range(10), { partitions: 2 });
  const store = await LogStore.openReadOnly(directory, {
    storage: failing(Object.assign(new Error("EIO"), { code: "EIO" })),
  });
  expect(await codeOf(Array.fromAsync(store.read(0)))).toBe("STORAGE_FAILED");
  expect(await Array.fromAsync(store.read(1))).toEqual([]);
  await expect(store.close()).rejects.toThrow("not closed");
});

test.each([
  ["deleted", [""]],
  ["being deleted, and has some files left", ["store.json", "watermarks"]],
])("tails end when the store is %s", async (_, names) => {
  const directory = await closedWith(range(3));
  const store = await LogStore.openReadOnly(directory);
  onTestFinished(() => store.close());
  const waiting = codeOf(store.tail(0)[Symbol.asyncIterator]().next());
  for (const name of names) rmSync(join(directory, name), { recursive: true });
  expect(await waiting).toBe("CLOSED");
});

test("close ends tails and reads, and releases files, timer and watcher", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const directory = await closedWith(range(10));
  const files = () => (process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0);
  const before = { files: files(), timers: vi.getTimerCount() };
  const storage = new HookedStorage(new NodeStorage());
  const { watch } = storage;
  let watchers = 0;
  storage.watch = async (path, changed) => {
    const end = await watch.call(storage, path, changed);
    watchers++;
    return () => {
      end();
      watchers--;
    };
  };
  const store = await LogStore.openReadOnly(directory, { storage });
  const reading = store.read(0)[Symbol.asyncIterator]();
  await reading.next();
  const waiting = codeOf(store.tail(0)[Symbol.asyncIterator]().next());
  await expect.poll(() => [vi.getTimerCount(), watchers]).toEqual([before.timers + 1, 1]);
  await store.close();
  expect(await waiting).toBe("CLOSED");
  expect(await codeOf(read(store))).toBe("CLOSED");
  expect(await codeOf(store.partition(0).slice(0, 100))).toBe("CLOSED");
  await store.close();
  expect({ files: files(), timers: vi.getTimerCount() }).toEqual(before);
  expect(watchers).toBe(0);
});

const WRITER = `
  import { LogStore } from "@logstore/core";
  const store = await LogStore.open(args[0], { segmentBytes: 1000, durability: "written" });
  for (let i = store.partition(0).endOffset; ; i++) {
    await store.append(null, "v" + i);
    if (i % 100 === 99) await new Promise((resolve) => process.stdout.write(i + 1 + "\\n", resolve));
  }`;

test("a writing process is killed, and another one continues", async () => {
  const directory = temporaryDirectory();
  const first = runElsewhere(WRITER, directory);
  await first.line();
  const reader = await readOnly(directory);
  const tail = reader.tail(0, { from: 0 })[Symbol.asyncIterator]();
  for (let i = 0; i < 500; i++) expect(await next(tail)).toBe(`${i} v${i}`);
  const acked = Number(await first.line());
  await first.kill();
  await reader.look();
  expect(reader.partition(0).endOffset).toBeGreaterThanOrEqual(acked);
  const { endOffset } = reader.partition(0);
  expect(await read(reader)).toEqual(range(endOffset));
  expect(await read(await readOnly(directory))).toEqual(range(endOffset));
  const second = runElsewhere(WRITER, directory);
  for (let i = 500; i < endOffset + 300; i++) expect(await next(tail)).toBe(`${i} v${i}`);
  await second.kill();
});

test("a pending tail keeps its process alive, until the store is closed", async () => {
  const directory = await closedWith(["first"]);
  const { line, child } = runElsewhere(
    `
    import { LogStore } from "@logstore/core";
    const store = await LogStore.openReadOnly(args[0]);
    for await (const { value } of store.tail(0, { from: 0 })) {
      console.log(Buffer.from(value).toString());
      if (value.length === 4) break;
    }
    await store.close();
    process.once("exit", () => console.log("ended"));`,
    directory,
  );
  expect(await line()).toBe("first");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(child.exitCode).toBeNull();
  const store = await writer(directory);
  await store.append(null, "last");
  expect(await line()).toBe("last");
  expect(await line()).toBe("ended");
});

test("an open store without a pending tail does not keep its process alive", async () => {
  const code = `
    import { LogStore } from "@logstore/core";
    globalThis.store = await LogStore.openReadOnly(args[0]);
    const waited = store.tail(0)[Symbol.asyncIterator]();
    void waited.next();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await waited.return();
    process.once("exit", () => console.log("ended"));`;
  expect(await runElsewhere(code, await closedWith(["v"])).line()).toBe("ended");
});
