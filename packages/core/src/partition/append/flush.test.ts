/** When `flush` resolves, everything that was appended before the call is durable. */
import { expect, onTestFinished, test } from "vitest";
import { failAt, HookedStorage } from "../../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, range } from "../../../test/records.js";
import { LogStore, type LogStoreOptions } from "../../index.js";

async function opened(options: LogStoreOptions = {}) {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, durability: "written", ...options });
  onTestFinished(() => store.close().catch(() => {}));
  /** Returns the partitions whose logs were synced, in order. */
  const synced = () =>
    storage.calls
      .filter(({ kind, path }) => kind === "sync" && path.endsWith(".log"))
      .map(({ path }) => path.split("/")[1]);
  return { storage, store, synced };
}

test("one partition, or all of them", async () => {
  const { store, synced } = await opened({ partitions: 3 });
  for (const partition of [0, 1, 2]) await store.append(null, "v", { partition });
  expect(synced()).toEqual([]);
  await store.flush(1);
  expect(synced()).toEqual(["1"]);
  await store.flush();
  expect(synced().toSorted()).toEqual(["0", "1", "2"]); // partition 1 was already durable
  await store.append(null, "v", { partition: 2 });
  await store.flush();
  expect(synced().slice(3)).toEqual(["2"]);
});

test("it waits for earlier appends of the same turn, and for their sync", async () => {
  const { store, storage } = await opened();
  const log: string[] = [];
  storage.before = async ({ kind, path }) => {
    if (!path.endsWith(".log") || (kind !== "sync" && kind !== "write")) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
    log.push(kind);
  };
  const appends = range(3).map((value) => store.append(null, value).then(() => log.push("acked")));
  await store.flush().then(() => log.push("flushed"));
  await Promise.all(appends);
  expect(log.indexOf("flushed")).toBeGreaterThan(log.indexOf("sync"));
  expect(log.indexOf("sync")).toBeGreaterThan(log.indexOf("write"));
  expect(log.filter((each) => each === "sync")).toHaveLength(1);
});

test("a batch after a flush declares the batches before it durable", async () => {
  const { store } = await opened();
  await appendOneByOne(store, range(3));
  await store.flush();
  await store.append(null, "after");
  const claims = (await Array.fromAsync(store.read(0).batches())).map(({ flushedUpTo }) => flushedUpTo);
  expect(claims).toEqual([0, 0, 0, 3]);
});

test("a flush of an empty partition creates no files", async () => {
  const { store, storage } = await opened({ partitions: 2 });
  const before = storage.calls.length;
  await Promise.all([store.flush(), store.flush(0), store.flush()]);
  expect(storage.calls.slice(before)).toEqual([]);
});

test("if the sync fails, the flush and all later ones fail", async () => {
  const { store, storage } = await opened({ partitions: 2 });
  for (const partition of [0, 1]) await store.append(null, "v", { partition });
  storage.before = failAt("sync", 1, "store/1/00000000000000000000.log");
  expect(await caught(store.flush())).toMatchObject({ code: "STORAGE_FAILED", cause: { code: "EIO" } });
  expect(await caught(store.flush(1))).toMatchObject({ code: "STORAGE_FAILED", partition: 1 });
  await store.flush(0);
});

test("a flush of a closed store or an unknown partition fails", async () => {
  const { store } = await opened();
  expect(await caught(store.flush(1))).toMatchObject({ code: "UNKNOWN_PARTITION" });
  await store.close();
  expect(await codeOf(store.flush())).toBe("CLOSED");
});

test("append times never decrease when the clock jumps back, also after a reopen", async () => {
  const storage = new HookedStorage();
  let store = await LogStore.open("store", { storage });
  const appendTimes = async () => (await Array.fromAsync(store.read(0).batches())).map(({ appendTime }) => appendTime);
  for (const time of [1_000_000, 999_000, 1_000_500]) {
    storage.time = time;
    await store.append(null, "v");
  }
  expect(await appendTimes()).toEqual([1_000_000, 1_000_000, 1_000_500]);
  await store.close();
  store = await LogStore.open("store", { storage });
  storage.time = 998_000;
  await store.append(null, "v");
  expect((await appendTimes()).at(-1)).toBe(1_000_500);
  await store.close();
});

test("after a close, a log file ends with its last batch", async () => {
  const { store, storage } = await opened({ durability: "flushed" });
  await appendOneByOne(store, range(5));
  const { length } = (await store.partition(0).slice(0, 10_000))!;
  const size = async () => (await storage.inner.openFile("store/0/00000000000000000000.log", "read")).size();
  expect(await size()).toBeGreaterThan(length); // zeros for the next appends
  await store.close();
  expect(await size()).toBe(length);
});

test("a batch does not declare the previous segment durable while that is being synced", async () => {
  const { store, storage } = await opened({ segmentBytes: 300 });
  await appendOneByOne(store, range(2));
  const sync = Promise.withResolvers<void>();
  storage.before = ({ kind, path }) =>
    kind === "sync" && path === "store/0/00000000000000000000.log" ? sync.promise : undefined;
  await appendOneByOne(store, range(3, "w")); // the first segment holds fewer than five batches
  sync.resolve();
  const batches = await Array.fromAsync(store.read(0).batches());
  expect(store.log(0).segments.active!.baseOffset).toBeGreaterThan(0);
  expect(batches.map(({ flushedUpTo }) => flushedUpTo)).toEqual([0, 0, 0, 0, 0]);
});

test("a partition has a checkpoint when its first append is acknowledged", async () => {
  const { store, storage } = await opened();
  await store.append(null, "v");
  expect(await storage.list("store/0")).toContain("checkpoint");
});

test("an append does not fail because other processes cannot be told of it", async () => {
  const { store, storage } = await opened();
  storage.before = ({ kind, path }) => {
    if (kind === "write" && path === "store/watermarks") throw new Error("EIO: i/o error");
  };
  expect(await store.append(null, "v")).toMatchObject({ offset: 0 });
  storage.before = () => {};
  expect(await store.append(null, "w")).toMatchObject({ offset: 1 });
  const other = await LogStore.openReadOnly("store", { storage });
  onTestFinished(() => other.close());
  expect(await Array.fromAsync(other.read(0))).toHaveLength(2);
});
