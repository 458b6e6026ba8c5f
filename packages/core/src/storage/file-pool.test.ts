/**
 * A limited number of open files serves any number of files in use, and closing one in between has
 * no visible effect.
 */
import { execFileSync } from "node:child_process";
import { existsSync, fstatSync, readSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { failAt, HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, lines, range, values } from "../../test/records.js";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { Broker, LogStore, type LogStoreOptions, NodeStorage } from "../index.js";
import { FilePool } from "./file-pool.js";
import { attemptOf } from "./io-trouble.js";

async function opened(options: LogStoreOptions, storage = new HookedStorage()) {
  const store = await LogStore.open("store", { storage, ...options });
  onTestFinished(() => store.close());
  return { storage, store };
}

test.each([1, 2, 7])("%d open files serve many partitions and segments in use at once", async (maxOpenFiles) => {
  const partitions = 12;
  const { storage, store } = await opened({ maxOpenFiles, partitions, segmentBytes: 300, tailCacheBytes: 0 });
  const all = range(partitions, "");
  const live = all.map(async (_, partition) => {
    const seen: number[] = [];
    for await (const { offset } of store.tail(partition, { from: 0 })) if (seen.push(offset) === 20) return seen;
    return seen;
  });
  await Promise.all(all.map((_, partition) => appendOneByOne(store, range(20), partition)));
  for (const seen of await Promise.all(live)) expect(seen).toEqual([...Array(20).keys()]);
  const reads = all.flatMap((_, partition) => [0, 3, 11].map((from) => values(store, partition, from)));
  for (const [i, read] of (await Promise.all(reads)).entries())
    expect(read).toEqual(range(20).slice([0, 3, 11][i % 3]));
  await store.close();
  expect(storage.mostOpenFiles).toBe(maxOpenFiles);
  expect(storage.openFiles).toBe(0);
  const again = await LogStore.open("store", { storage, maxOpenFiles });
  expect(again.recovery).toEqual([]);
  for (const [partition] of all.entries()) expect(await values(again, partition)).toEqual(range(20));
  await again.close();
  expect(storage.mostOpenFiles).toBe(maxOpenFiles);
  expect(storage.openFiles).toBe(0);
});

test("a file stays open while the pool is not full", async () => {
  const { storage, store } = await opened({ maxOpenFiles: 10, durability: "written" });
  await store.append(null, "a");
  let opens = 0;
  storage.before = ({ kind }) => {
    if (kind === "openFile") opens++;
  };
  await appendOneByOne(store, range(20));
  expect(opens).toBe(0);
});

test("unsynced writes are synced before the file is closed temporarily", async () => {
  const { storage, store } = await opened({ maxOpenFiles: 1, partitions: 2, durability: "written" });
  for (const partition of [0, 1, 0, 1]) await store.append(null, "v", { partition });
  const unsynced = new Set<string>();
  for (const { kind, path } of storage.calls) {
    if (!path.endsWith(".log")) continue;
    if (kind === "write") {
      expect([...unsynced].filter((other) => other !== path)).toEqual([]); // the other file is closed by now
      unsynced.add(path);
    }
    if (kind === "sync") unsynced.delete(path);
  }
  expect(storage.calls.filter(({ kind, path }) => kind === "sync" && path.endsWith(".log")).length).toBeGreaterThan(2);
});

test("if that sync fails, only that partition fails", async () => {
  const { storage, store } = await opened({ maxOpenFiles: 2, partitions: 2, durability: "written" });
  await store.append(null, "a", { partition: 0 });
  await store.append(null, "b", { partition: 1 });
  await store.append(null, "lost", { partition: 0 });
  storage.before = failAt("sync", 1, "store/0/00000000000000000000.log");
  await store.append(null, "c", { partition: 1 });
  expect(await caught(store.append(null, "later", { partition: 0 }))).toMatchObject({ code: "STORAGE_FAILED" });
  expect(await codeOf(store.flush(0))).toBe("STORAGE_FAILED");
  expect((await store.append(null, "d", { partition: 1 })).offset).toBe(2);
  expect(await values(store, 1)).toEqual(["b", "c", "d"]);
});

test("if the system allows fewer files, the pool shrinks", async () => {
  const system = new HookedStorage();
  const { store } = await opened({ partitions: 30, segmentBytes: 300 }, system);
  const refused = new Set<string>();
  system.before = ({ kind }) => {
    if (!["createFile", "openFile", "syncDirectory", "makeDirectory"].includes(kind) || system.openFiles < 5) return;
    refused.add(kind);
    throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  };
  await Promise.all(range(30).map((_, partition) => appendOneByOne(store, range(8), partition)));
  for (const [partition] of range(30).entries()) expect(await values(store, partition)).toEqual(range(8));
  expect([...refused]).toContain("createFile");
  expect([...refused]).toContain("syncDirectory");
});

test("if the system allows no file at all, the error says so", async () => {
  const { storage, store } = await opened({});
  storage.before = ({ kind }) => {
    if (kind === "createFile") throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
  };
  expect((await caught(store.append(null, "v"))).message).toContain("EMFILE");
});

async function onDisk(options: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open(temporaryDirectory(), options);
  onTestFinished(() => store.close());
  return store;
}

function firstBytes(fd: number | undefined): string {
  const bytes = Buffer.alloc(3);
  readSync(fd!, bytes, 0, 3, 0);
  return bytes.toString();
}

/** Returns false if the descriptor is closed, or refers to another file. */
function isRemovedFile(fd: number): boolean {
  try {
    return fstatSync(fd).nlink === 0;
  } catch {
    return false;
  }
}

test("a slice holds its descriptor until it is released", async () => {
  const store = await onDisk({ maxOpenFiles: 1, partitions: 2 });
  await store.append(null, "a", { partition: 0 });
  await store.append(null, "b", { partition: 1 });
  const slice = await store.partition(0).slice(0, 1000);
  expect((await store.append(null, "c", { partition: 1 })).offset).toBe(1); // an append does not wait for a held file
  expect(await codeOf(store.partition(1).slice(0, 1000))).toBe("BUFFER_FULL"); // as many files are held as may be open
  expect(firstBytes(slice!.fd)).toBe("LSB");
  slice!.release();
  slice!.release();
  {
    using again = await store.partition(0).slice(0, 1000);
    expect(firstBytes(again!.fd)).toBe("LSB");
    expect(await codeOf(store.partition(1).slice(0, 1000))).toBe("BUFFER_FULL"); // a second release has no effect
  }
  expect((await store.append(null, "d", { partition: 1 })).offset).toBe(2);
});

test("a slice of a segment that is deleted in the meantime keeps its bytes until it is released", async () => {
  const store = await onDisk({ segmentBytes: 200 });
  await appendOneByOne(store, range(10));
  const slice = await store.partition(0).slice(0, 100);
  await store.deleteRecords(0, 9);
  await appendOneByOne(store, range(10)); // once the descriptor is free, other files may get it
  expect(isRemovedFile(slice!.fd!)).toBe(true);
  expect(firstBytes(slice!.fd)).toBe("LSB");
  slice!.release();
  await expect.poll(() => isRemovedFile(slice!.fd!)).toBe(false);
});

test.runIf(existsSync("/dev/shm"))("2,000 partitions on a system that allows 256 files", { timeout: 120_000 }, () => {
  const code = `
    import { LogStore } from "@logstore/core";
    const [directory] = process.argv.slice(1);
    const options = { partitions: 2000, durability: "written" };
    for (let round = 0; round < 2; round++) {
      const store = await LogStore.open(directory, options);
      const all = [...Array(2000).keys()];
      await Promise.all(all.map((partition) => store.append(null, "v" + round, { partition })));
      for (const partition of all) {
        const seen = [];
        for await (const { value } of store.read(partition)) seen.push(Buffer.from(value).toString());
        if (seen.length !== round + 1 || seen[round] !== "v" + round) throw new Error(partition + ": " + seen);
      }
      await store.close();
    }
    console.log("read all");`;
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const node = `ulimit -n 256; exec "$0" --input-type=module --eval "$1" "$2"`;
  const said = execFileSync("sh", ["-c", node, process.execPath, code, temporaryDirectory("/dev/shm")], {
    cwd,
    encoding: "utf8",
  });
  expect(said).toBe("read all\n");
});

test("many topics with few open files", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage, maxOpenFiles: 3 });
  await Promise.all(range(20).map((topic) => broker.createTopic({ topic, partitions: 3 })));
  await Promise.all(range(20).map((topic) => appendOneByOne(broker.topic(topic), range(5, topic), 1)));
  const read = await Promise.all(range(20).map((topic) => lines(broker.topic(topic), 1, 4)));
  expect(read).toEqual(range(20).map((topic) => [`4 ${topic}4`]));
  await broker.close();
  expect([storage.mostOpenFiles, storage.openFiles]).toEqual([3, 0]);
});

test("reads resume at the same position after a file was closed and reopened", async () => {
  const storage = new HookedStorage(new NodeStorage());
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory, { storage, maxOpenFiles: 1, segmentBytes: 200, tailCacheBytes: 0 });
  await appendOneByOne(store, range(12));
  const [a, b] = [store.read(0), store.read(0, { from: 6 })].map((each) => each[Symbol.asyncIterator]());
  for (let i = 0; i < 6; i++)
    expect([(await a!.next()).value?.offset, (await b!.next()).value?.offset]).toEqual([i, i + 6]);
  await store.close();
  expect([storage.mostOpenFiles, storage.openFiles]).toEqual([1, 0]);
});

test("after a failed sync a file accepts no writes, because it is not known what is on the disk", async () => {
  const storage = new HookedStorage();
  await storage.makeDirectory("store");
  const pool = new FilePool(storage, 2);
  const file = await pool.createFile("store/file");
  onTestFinished(() => file.close().catch(() => {}));
  await file.write([Buffer.from("a")], 0);
  storage.before = failAt("sync", 1);
  await expect(file.sync()).rejects.toMatchObject({ code: "EIO" });
  await expect(file.write([Buffer.from("b")], 1)).rejects.toMatchObject({ code: "EIO" });
  await expect(file.sync()).rejects.toMatchObject({ code: "EIO" });
});

/** A pool of the file system's files in an empty directory; `did` are their calls, by name. */
function poolOf(maxOpenFiles: number) {
  const directory = temporaryDirectory();
  const inner = new HookedStorage(new NodeStorage());
  inner.writesNow = true;
  const did: string[] = [];
  inner.before = ({ kind, path }) => void did.push(`${kind} ${path.slice(directory.length + 1)}`);
  const pool = new FilePool(inner, maxOpenFiles, directory);
  return { pool, did, create: (name: string) => pool.createFile(`${directory}/${name}`) };
}

const BYTES = [Buffer.from("abc"), Buffer.from("de")];

test("a file that is written to at once is the last one to be closed temporarily", async () => {
  const { create, did } = poolOf(2);
  const a = await create("a");
  const b = await create("b");
  expect(a.writeNow!(BYTES, 0)).toBe(true);
  const c = await create("c");
  expect(a.writeNow!(BYTES, 5)).toBe(true);
  expect(b.writeNow!(BYTES, 0)).toBe(false); // it has been closed
  await b.write(BYTES, 0);
  expect(did.filter((call) => call.startsWith("openFile"))).toEqual(["openFile b"]);
  expect([await a.size(), await b.size(), await c.size()]).toEqual([10, 5, 0]);
  for (const file of [a, b, c]) await file.close();
  expect(a.writeNow!(BYTES, 0)).toBe(false);
  expect(await codeOf(a.write(BYTES, 0))).toBe("CLOSED");
});

test("what was written at once is synced before the file is closed temporarily", async () => {
  const { create, did } = poolOf(1);
  const a = await create("a");
  a.writeNow!(BYTES, 0);
  await (await create("b")).close();
  expect(did).toEqual(["createFile a", "write a", "sync a", "createFile b"]);
  await a.close();
});

test("an error of a write at once names the file; a large write is not made at once", async () => {
  const { pool, create } = poolOf(1);
  const path = `${temporaryDirectory()}/a`;
  const written = await create("a");
  expect(written.writeNow!([Buffer.alloc(200_000)], 0)).toBe(false);
  expect(await written.size()).toBe(0);
  writeFileSync(path, "");
  const read = await pool.openFile(path, "read");
  const error = await caught((async () => read.writeNow!(BYTES, 0))());
  expect(attemptOf(error)).toMatchObject({ doing: "writing to", file: path });
  for (const file of [written, read]) await file.close();
});

test("a file in use is not closed to make room: the next one waits", async () => {
  const inner = new HookedStorage();
  await inner.makeDirectory("d");
  const pool = new FilePool(inner, 1, "d");
  const a = await pool.createFile("d/a");
  const goesOn = Promise.withResolvers<void>();
  inner.before = ({ kind }) => (kind === "read" ? goesOn.promise : undefined);
  const reading = a.read(new Uint8Array(1), 0);
  const creating = pool.createFile("d/b");
  await new Promise((resolve) => setImmediate(resolve));
  expect(inner.calls.some(({ path }) => path === "d/b")).toBe(false);
  goesOn.resolve();
  expect(await reading).toBe(0);
  await (await creating).close();
  await a.close();
});
