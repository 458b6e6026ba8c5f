/** Failures of the disk, and the order of the engine's calls to it. */
import { describe, expect, test } from "vitest";
import { failAt, HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, range, sealed, values } from "../../test/records.js";
import { Broker, LogStore } from "../index.js";

const LOG = "0/00000000000000000000.log";

async function opened(options: Parameters<typeof LogStore.open>[1] = {}) {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, ...options });
  return { storage, store };
}

describe.each([
  ["write", ".log"],
  ["sync", ".log"],
  ["createFile", ".log"],
  ["createFile", ".index"],
  ["write", ".index"],
  ["createFile", "checkpoint.tmp"],
  ["write", "checkpoint.tmp"],
  ["sync", "checkpoint.tmp"],
  ["rename", "checkpoint"],
  ["syncDirectory", "store/0"],
  ["makeDirectory", "store/0"],
] as const)("%s of %s fails", (kind, pathEnd) => {
  test.each([1, 2, 3, 5])("at call %d", async (k) => {
    const { storage, store } = await opened({ segmentBytes: 400 });
    storage.before = failAt(kind, k, pathEnd);
    const acked: string[] = [];
    const errors: unknown[] = [];
    for (let round = 0; round < 8; round++) {
      const batch = range(3, `${round}.`);
      const tries = await Promise.allSettled([
        ...batch.map((value) => store.append(null, value)),
        store.appendMany(0, [{ value: `${round}.many` }]),
      ]);
      for (const [i, result] of tries.entries()) {
        if (result.status === "rejected") errors.push(result.reason);
        else acked.push([...batch, `${round}.many`][i]!);
      }
      expect(await values(store)).toEqual(acked); // exactly what was acknowledged
      if (errors.length > 0) expect(await codeOf(store.append(null, "later"))).toBe("STORAGE_FAILED");
    }
    for (const error of errors) expect(error).toMatchObject({ code: "STORAGE_FAILED", cause: expect.anything() });
    if (errors.length > 0) expect(errors.length % 4).toBe(0);
    const root = (error: unknown): unknown => (error instanceof Error && error.cause ? root(error.cause) : error);
    for (const error of errors) expect(root(error)).toMatchObject({ code: "EIO" });
    storage.before = () => {};
    const again = await LogStore.open("store", { storage: storage.inner });
    const recovered = await values(again);
    expect(recovered.slice(0, acked.length)).toEqual(acked);
    expect((await again.append(null, "next")).offset).toBe(recovered.length);
    await store.close();
    await again.close();
  });
});

test("the error of a failed partition names it, and the others continue", async () => {
  const { storage, store } = await opened({ partitions: 2 });
  storage.before = failAt("sync", 1, LOG);
  expect(await caught(store.append(null, "v", { partition: 0 }))).toMatchObject({ code: "STORAGE_FAILED" });
  expect(await caught(store.append(null, "v", { partition: 0 }))).toMatchObject({
    code: "STORAGE_FAILED",
    partition: 0,
  });
  expect((await store.append(null, "v", { partition: 1 })).offset).toBe(0);
  await store.close();
});

test("a failed sync is never retried", async () => {
  const { storage, store } = await opened();
  await store.append(null, "v");
  storage.before = failAt("sync", 1, LOG);
  expect(await codeOf(store.append(null, "v"))).toBe("STORAGE_FAILED");
  const before = storage.calls.length;
  await codeOf(store.append(null, "v"));
  await store.close();
  expect(storage.calls.slice(before)).toEqual([]);
});

test("close fails if the last sync fails, but closes everything", async () => {
  const { storage, store } = await opened({ durability: "written" });
  await store.append(null, "v");
  storage.before = failAt("sync", 1, LOG);
  expect(await caught(store.close())).toMatchObject({ code: "STORAGE_FAILED", partition: 0 });
  expect(await codeOf(store.append(null, "v"))).toBe("CLOSED");
});

test("flushed appends are acknowledged after the sync of their bytes, written ones without a sync", async () => {
  const { storage, store } = await opened();
  const log = () => storage.calls.filter(({ path }) => path.endsWith(LOG)).map(({ kind }) => kind);
  await store.append(null, "v", { durability: "written" });
  expect(log()).toEqual(["createFile", "write"]);
  await store.append(null, "v");
  expect(log()).toEqual(["createFile", "write", "write", "sync"]);
  await Promise.all(range(5).map((value) => store.append(null, value)));
  expect(log()).toEqual(["createFile", "write", "write", "sync", "write", "sync"]);
  await store.close();
});

test("a finished segment is synced in the background; if that fails, no more appends are accepted", async () => {
  const { storage, store } = await opened({ durability: "written", segmentBytes: 250 });
  await appendOneByOne(store, range(3));
  const begun = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  storage.before = async ({ kind, path }) => {
    if (kind !== "sync" || !path.endsWith(LOG)) return;
    begun.resolve();
    await goesOn.promise;
    throw new Error("EIO");
  };
  await appendOneByOne(store, range(2, "w")); // in the next segment, while the first one is being synced
  await begun.promise;
  goesOn.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(await codeOf(store.append(null, "later"))).toBe("STORAGE_FAILED");
  storage.before = () => {};
  expect(await codeOf(store.append(null, "later"))).toBe("STORAGE_FAILED");
  await store.close();
});

test.each(["deleting", "closing"])("%s does not record data as durable after a failed background sync", async (how) => {
  const { storage, store } = await opened({ durability: "written", segmentBytes: 100 });
  await store.append(null, "v");
  const failed = Promise.withResolvers<void>();
  storage.before = async ({ kind, path }) => {
    if (kind !== "sync" || !path.endsWith(LOG)) return;
    failed.resolve();
    throw new Error("EIO");
  };
  await store.append(null, "w");
  await failed.promise;
  await new Promise((resolve) => setImmediate(resolve));
  storage.before = () => {};
  storage.calls.length = 0;
  expect(await codeOf(how === "deleting" ? store.deleteRecords(0, 1) : store.close())).toBe("STORAGE_FAILED");
  expect(storage.calls.filter(({ path }) => path.includes("checkpoint"))).toEqual([]);
  await store.close().catch(() => {});
});

test("a flushed append waits for the background sync, and fails with it", async () => {
  const { storage, store } = await opened({ durability: "written", segmentBytes: 250 });
  await appendOneByOne(store, range(3));
  const begun = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  const synced: string[] = [];
  storage.before = async ({ kind, path }) => {
    if (kind !== "sync" || !path.endsWith(".log")) return;
    synced.push(path);
    begun.resolve();
    await goesOn.promise;
    throw new Error("EIO");
  };
  await store.append(null, "next");
  await begun.promise;
  const flushed = codeOf(store.append(null, "precious", { durability: "flushed" }));
  await new Promise((resolve) => setImmediate(resolve));
  goesOn.resolve();
  expect(await flushed).toBe("STORAGE_FAILED");
  expect(synced).toEqual([`store/${LOG}`]);
  await store.close();
});

test("no flush completes while a finished segment is being synced, however many are finished", async () => {
  const { storage, store } = await opened({ durability: "written", segmentBytes: 100 });
  await store.append(null, "a");
  const goesOn = Promise.withResolvers<void>();
  storage.before = ({ kind, path }) => (kind === "sync" && path.endsWith(LOG) ? goesOn.promise : undefined);
  let isFlushed = false;
  const appended = ["b", "c", "d"].map((value) => store.append(null, value));
  const flushed = store.append(null, "e", { durability: "flushed" }).then(() => {
    isFlushed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isFlushed).toBe(false);
  goesOn.resolve();
  await Promise.all([...appended, flushed]);
  await store.close();
});

test("callers that wait while a write fails get its error, for appends and deletions", async () => {
  const { storage, store } = await opened({ durability: "written" });
  await store.append(null, "a");
  const begun = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  storage.before = async ({ kind, path }) => {
    if (kind !== "write" || !path.endsWith(LOG)) return;
    storage.before = () => {};
    begun.resolve();
    await goesOn.promise;
    throw new Error("EIO");
  };
  const written = codeOf(store.append(null, "b"));
  await begun.promise;
  const waiting = [codeOf(store.append(null, "c")), codeOf(store.deleteRecords(0, 1)), codeOf(store.append(null, "d"))];
  goesOn.resolve();
  expect(await Promise.all([written, ...waiting])).toEqual(new Array(4).fill("STORAGE_FAILED"));
  expect(await values(store)).toEqual(["a"]);
  await store.close();
});

test("a duplicate of a written batch is acknowledged as flushed only after a sync", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage });
  await broker.createTopic({ topic: "t", partitions: 1 });
  const stamp = { producerId: 1, producerEpoch: 0, baseSequence: 0 };
  const produce = (durability: "flushed" | "written") =>
    broker.produce({ topic: "t", partition: 0, batches: sealed(["a"], stamp), durability });
  expect(await produce("written")).toMatchObject({ durability: "written", duplicate: false });
  const syncs = () => storage.calls.filter(({ kind, path }) => kind === "sync" && path.endsWith(LOG)).length;
  expect(syncs()).toBe(0);
  expect(await produce("flushed")).toMatchObject({ durability: "flushed", duplicate: true });
  expect(syncs()).toBe(1);
  await broker.close();
});

test("a failure to publish watermarks does not affect this process", async () => {
  const { storage, store } = await opened();
  storage.before = ({ path }) => {
    if (path.endsWith("watermarks")) throw new Error("EIO");
  };
  for (const value of range(3)) await store.append(null, value);
  expect(await values(store)).toEqual(range(3));
  await store.close();
});

test("no record can be read before its sync is done", async () => {
  const { storage, store } = await opened();
  await store.append(null, "first");
  let finish = () => {};
  const begun = new Promise<void>((resolve) => {
    storage.before = ({ kind, path }) => {
      if (kind !== "sync" || !path.endsWith(LOG)) return;
      resolve();
      return new Promise<void>((go) => {
        finish = go;
      });
    };
  });
  const tail = store.tail(0)[Symbol.asyncIterator]().next();
  let woken = false;
  void tail.then(() => {
    woken = true;
  });
  const append = store.append(null, "second");
  await begun;
  expect(store.partition(0).endOffset).toBe(1);
  expect(await values(store)).toEqual(["first"]);
  expect(await values(store, 0, { time: Number.MAX_SAFE_INTEGER })).toEqual([]);
  expect(await store.partition(0).slice(1, 1000)).toBeUndefined();
  expect(await store.partition(0).slice(0, 1000)).toMatchObject({ nextOffset: 1 });
  const early = store.tail(0, { from: 0 }).batches();
  expect((await early.next()).value).toMatchObject({ baseOffset: 0 });
  let seen = false;
  const second = early.next().finally(() => {
    seen = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toBe(false);
  expect(await codeOf(values(store, 0, 2))).toBe("OFFSET_OUT_OF_RANGE");
  expect(woken).toBe(false);
  storage.before = () => {};
  finish();
  await append;
  expect((await tail).value?.offset).toBe(1);
  expect((await second).value).toMatchObject({ baseOffset: 1 });
  await early.return();
  expect(await values(store)).toEqual(["first", "second"]);
  await store.close();
});

test("every created or renamed name is durable before anything depends on it", async () => {
  const { storage, store } = await opened({ segmentBytes: 250 });
  await appendOneByOne(store, range(12));
  await store.close();
  const unsynced = new Set<string>();
  for (const { kind, path } of storage.calls) {
    // A checkpoint refers to its segment, whose name must be durable before the checkpoint is in
    // place.
    if (kind === "rename") expect([...unsynced].filter((name) => name.endsWith(".log"))).toEqual([]);
    if (kind === "createFile" || kind === "rename") unsynced.add(path);
    if (kind === "syncDirectory") for (const name of unsynced) if (name.startsWith(`${path}/`)) unsynced.delete(name);
    // A log is written to only once its name is durable. The checkpoint of a finished segment may
    // be in progress at the same time.
    const isUnsafe = (name: string) => name !== "store/watermarks" && !name.endsWith("checkpoint.tmp");
    if (kind === "write" && path.endsWith(".log")) expect([...unsynced].filter(isUnsafe)).toEqual([]);
    if (kind === "rename") unsynced.delete(`${path}.tmp`);
  }
  expect([...unsynced]).toEqual(["store/watermarks"]); // rewritten whenever the store is opened
  const contents = storage.calls.filter(({ path }) => /store\.json|checkpoint/.test(path)).map(({ kind }) => kind);
  expect(contents.slice(0, 4)).toEqual(["createFile", "write", "sync", "rename"]);
});

test("a batch declares only records durable that were synced before it was written", async () => {
  const { store } = await opened();
  for (const durability of ["written", "written", "flushed", "written", "flushed", "written"] as const)
    await store.append(null, "v", { durability });
  const claims = (await Array.fromAsync(store.read(0).batches())).map(({ flushedUpTo }) => flushedUpTo);
  expect(claims).toEqual([0, 0, 0, 3, 3, 5]);
  await store.close();
});

test("a segment is synced completely before anything depends on it", async () => {
  const { storage, store } = await opened({ segmentBytes: 250, durability: "written" });
  await appendOneByOne(store, range(24));
  await store.append(null, "flushed", { durability: "flushed" });
  const dirty = new Set<string>();
  for (const { kind, path } of storage.calls) {
    // A finished segment is durable before the segment after the next is created, and before the
    // checkpoint that covers it is written.
    if (kind === "createFile" && path.endsWith(".log")) expect(dirty.size).toBeLessThanOrEqual(1);
    if (kind === "rename" && dirty.size > 0) expect([...dirty].sort().slice(0, -1)).toEqual([]);
    if (!path.endsWith(".log")) continue;
    if (kind === "write" || kind === "truncate") dirty.add(path);
    if (kind === "sync") dirty.delete(path);
  }
  expect([...dirty]).toEqual([]);
  await store.close();
});

test("a third segment is not started before the first is durable", async () => {
  const { storage, store } = await opened({ segmentBytes: 250, durability: "written" });
  await appendOneByOne(store, range(3));
  const goesOn = Promise.withResolvers<void>();
  storage.before = ({ kind, path }) => (kind === "sync" && path.endsWith(LOG) ? goesOn.promise : undefined);
  await appendOneByOne(store, range(3, "w")); // fills the second segment
  const third = store.append(null, "x");
  await new Promise((resolve) => setTimeout(resolve, 20));
  const logs = () => storage.calls.filter(({ kind, path }) => kind === "createFile" && path.endsWith(".log")).length;
  expect(logs()).toBe(2);
  goesOn.resolve();
  expect((await third).offset).toBe(6);
  expect(logs()).toBe(3);
  await store.close();
});

test("a file that cannot be opened may be opened later", async () => {
  const { storage, store } = await opened({ segmentBytes: 250 });
  await appendOneByOne(store, range(12));
  await store.close();
  const again = await LogStore.open("store", { storage });
  storage.before = failAt("openFile", 1, LOG);
  await expect(values(again)).rejects.toThrow("EIO");
  expect(await values(again)).toEqual(range(12));
  await again.close();
});

test("a store that cannot be opened is unlocked once no work on it is in progress", async () => {
  const { storage, store } = await opened({ partitions: 3, durability: "written" });
  for (const partition of [0, 1, 2]) await appendOneByOne(store, range(3), partition);
  let working = 0;
  storage.before = async (call) => {
    if (call.path.endsWith("store/0/00000000000000000000.log")) throw new Error("EMFILE");
    working++;
    await new Promise((resolve) => setImmediate(resolve));
    working--;
  };
  await expect(LogStore.open("store", { storage })).rejects.toThrow("EMFILE");
  expect(working).toBe(0);
  storage.before = () => {};
  await store.close();
});
