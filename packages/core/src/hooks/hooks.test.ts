/**
 * The events that an embedding program receives, and that a faulty hook has no effect on the store.
 */
import { expect, onTestFinished, test } from "vitest";
import { failAt, HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, codeOf, range, sealed, values } from "../../test/records.js";
import { type CommittedEvent, LogStore, type LogStoreHooks, type LogStoreOptions } from "../index.js";

/** A store that records its events. */
async function told(options: LogStoreOptions = {}) {
  const events: Record<keyof LogStoreHooks, unknown[]> = {
    committed: [],
    read: [],
    rolled: [],
    deleted: [],
    failed: [],
    damaged: [],
    warned: [],
  };
  const note = (name: keyof LogStoreHooks) => (event: unknown) => void events[name].push(event);
  const hooks: LogStoreHooks = {
    committed: note("committed"),
    read: note("read"),
    rolled: note("rolled"),
    deleted: note("deleted"),
    failed: note("failed"),
    damaged: note("damaged"),
    warned: note("warned"),
  };
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, hooks, ...options });
  onTestFinished(() => store.close().catch(() => {}));
  return { storage, store, events };
}

test("committed: calls, records, bytes, and durations", async () => {
  const { store, events, storage } = await told({ partitions: 2 });
  storage.before = async ({ kind }) => {
    if (kind === "sync") await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await Promise.all(range(5).map((value) => store.append(null, value, { partition: 1 })));
  await store.append(null, "w", { partition: 1, durability: "written" });
  const two = Buffer.concat([sealed(["a", "b"]), sealed(["c"])]);
  await Promise.all([store.log(0).appendBatches(two), store.log(0).appendBatches(sealed(["d"]))]);
  const [first, written, batches] = events.committed as CommittedEvent[];
  expect(events.committed).toHaveLength(3);
  expect(first).toMatchObject({ partition: 1, appends: 5, records: 5 });
  expect(written).toMatchObject({ partition: 1, appends: 1, records: 1, syncMs: undefined });
  expect(batches).toMatchObject({ partition: 0, appends: 2, records: 4, bytes: two.length + sealed(["d"]).length });
  expect(first!.bytes).toBe((await store.partition(1).slice(0, 1))!.length);
  expect(first!.syncMs).toBeGreaterThanOrEqual(19);
  expect(first!.writeMs).toBeGreaterThanOrEqual(0);
});

test("committed: no event if nothing was written", async () => {
  const { store, events } = await told();
  await store.flush();
  await codeOf(store.append(null, "v", { expectedOffset: 7 }));
  expect(events.committed).toEqual([]);
});

test("read: bytes, and their source", async () => {
  const { store, events } = await told({ segmentBytes: 250, tailCacheBytes: 200 });
  await appendOneByOne(store, range(6));
  const bytes = (await store.partition(0).slice(0, 1))!.length;
  events.read.length = 0;
  expect(await values(store)).toEqual(range(6));
  expect(await values(store, 0, 4)).toEqual(["v4", "v5"]);
  expect(events.read).toEqual([
    { partition: 0, bytes: 3 * bytes, source: "disk" },
    { partition: 0, bytes: 3 * bytes, source: "disk" },
    { partition: 0, bytes: 2 * bytes, source: "memory" },
  ]);
});

test("rolled: every segment but the first; deleted: the new log start, and the number of files", async () => {
  const { store, events } = await told({ segmentBytes: 250 });
  await appendOneByOne(store, range(10));
  expect(events.rolled).toEqual([3, 6, 9].map((baseOffset) => ({ partition: 0, baseOffset })));
  await store.deleteRecords(0, 2);
  await store.deleteRecords(0, 2);
  await store.deleteRecords(0, 7);
  expect(events.deleted).toEqual([
    { partition: 0, logStart: 2, segments: 0 },
    { partition: 0, logStart: 7, segments: 2 },
  ]);
  store.alter({ retentionBytes: 0 });
  await store.applyRetention();
  expect(events.deleted.slice(2)).toEqual([{ partition: 0, logStart: 9, segments: 1 }]);
});

test("failed: once", async () => {
  const { store, events, storage } = await told();
  await store.append(null, "v");
  storage.before = failAt("sync", 1, ".log");
  await Promise.all(range(3).map((value) => codeOf(store.append(null, value))));
  await codeOf(store.append(null, "later"));
  expect(events.failed).toEqual([{ partition: 0, error: expect.objectContaining({ code: "STORAGE_FAILED" }) }]);
});

test("an error of a hook is an uncaught error, and affects nothing else", async () => {
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const uncaught: string[] = [];
  process.on("uncaughtException", (error) => uncaught.push(error.message));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const other of others) process.on("uncaughtException", other);
  });
  const broken = (name: string) => () => {
    throw new Error(name);
  };
  const hooks = Object.fromEntries(
    ["committed", "read", "rolled", "deleted", "failed"].map((name) => [name, broken(name)]),
  );
  const { store, storage } = await told({ hooks, segmentBytes: 250 });
  await appendOneByOne(store, range(10));
  expect(await values(store)).toEqual(range(10));
  await store.deleteRecords(0, 4);
  await appendOneByOne(store, range(3));
  storage.before = failAt("sync", 1, ".log");
  expect(await codeOf(store.append(null, "v"))).toBe("STORAGE_FAILED");
  await expect.poll(() => new Set(uncaught)).toEqual(new Set(["committed", "read", "rolled", "deleted", "failed"]));
});
