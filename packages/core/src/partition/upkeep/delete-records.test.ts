/**
 * The log start advances by retention and on request: which records are deleted, which stay, and
 * what a crash leaves.
 */
import { expect, onTestFinished, test } from "vitest";
import { failAt, HookedStorage } from "../../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, lines, range, valuesUntilError } from "../../../test/records.js";
import { crashCopy, temporaryDirectory } from "../../../test/temporary-directory.js";
import { LogStore, type LogStoreOptions } from "../../index.js";

/** Three records per segment. */
const SEGMENT_BYTES = 250;

async function opened(options: LogStoreOptions = {}, storage = new HookedStorage()) {
  const store = await LogStore.open("store", { storage, segmentBytes: SEGMENT_BYTES, ...options });
  onTestFinished(() => store.close());
  return { storage, store, appendAt: appendAt(storage, store), segments: () => segments(storage) };
}

/** A store with records 0 to 9, in segments 0, 3, 6 and 9. */
async function filled(options: LogStoreOptions = {}) {
  const opening = await opened(options);
  await appendOneByOne(opening.store, range(10));
  expect(await opening.segments()).toEqual([0, 3, 6, 9]);
  return opening;
}

function appendAt(storage: HookedStorage, store: LogStore) {
  return async (time: number, count: number) => {
    storage.time = time;
    await appendOneByOne(store, range(count));
  };
}

/** The base offsets of the existing log files. */
async function segments(storage: HookedStorage): Promise<number[]> {
  const names = (await storage.list("store/0")) ?? [];
  return names
    .filter((name) => name.endsWith(".log"))
    .map((name) => Number.parseInt(name, 10))
    .sort((a, b) => a - b);
}

const all = range(10).map((value, offset) => `${offset} ${value}`);

test.each([
  [0, [0, 3, 6, 9]],
  [1, [0, 3, 6, 9]],
  [2, [0, 3, 6, 9]],
  [3, [3, 6, 9]],
  [5, [3, 6, 9]],
  [6, [6, 9]],
  [9, [9]],
  [10, [9]],
])("records before offset %d are deleted, and files that contain no others", async (offset, left) => {
  const { store, segments, storage } = await filled();
  await store.deleteRecords(0, offset);
  const check = async (of: LogStore) => {
    expect(of.partition(0)).toMatchObject({ startOffset: offset, endOffset: 10 });
    expect(await lines(of)).toEqual(all.slice(offset));
    if (offset > 0)
      expect(await caught(lines(of, 0, offset - 1))).toMatchObject({ code: "OFFSET_OUT_OF_RANGE", expected: offset });
    expect(await codeOf(of.partition(0).slice(offset - 1, 1000))).toBe("OFFSET_OUT_OF_RANGE");
    expect(await lines(of, 0, { time: 0 })).toEqual(all.slice(offset));
    expect(await segments()).toEqual(left);
  };
  await check(store);
  const crashed = await LogStore.open("store", { storage, segmentBytes: SEGMENT_BYTES });
  expect(crashed.recovery).toEqual([]);
  await check(crashed);
  await crashed.close();
  const again = await LogStore.open("store", { storage, segmentBytes: SEGMENT_BYTES });
  expect(again.recovery).toEqual([]);
  await check(again);
  expect((await again.append(null, "on")).offset).toBe(10);
  expect(await lines(again)).toEqual([...all.slice(offset), "10 on"]);
  await again.close();
});

test("deleting records that are deleted already changes nothing", async () => {
  const { store, storage } = await filled();
  await store.deleteRecords(0, 5);
  const before = storage.calls.length;
  await store.deleteRecords(0, 5);
  await store.deleteRecords(0, 2);
  expect(storage.calls.slice(before)).toEqual([]);
  expect(store.partition(0).startOffset).toBe(5);
});

test("records that do not exist cannot be deleted", async () => {
  const { store } = await filled({ partitions: 2 });
  expect(await caught(store.deleteRecords(0, 11))).toMatchObject({
    code: "OFFSET_OUT_OF_RANGE",
    partition: 0,
    offset: 11,
    expected: 10,
  });
  expect(await codeOf(store.deleteRecords(1, 1))).toBe("OFFSET_OUT_OF_RANGE");
  for (const offset of [-1, 0.5, Number.NaN])
    expect(await codeOf(store.deleteRecords(0, offset))).toBe("INVALID_ARGUMENT");
  expect(await codeOf(store.deleteRecords(2, 0))).toBe("UNKNOWN_PARTITION");
  expect(await lines(store)).toEqual(all);
  await store.deleteRecords(1, 0);
});

test("repeated deletions and appends: offsets continue", async () => {
  const { store } = await opened();
  for (let round = 0; round < 8; round++) {
    await appendOneByOne(store, range(5));
    await store.deleteRecords(0, store.partition(0).endOffset);
    expect(await lines(store)).toEqual([]);
  }
  expect((await store.append(null, "v")).offset).toBe(40);
});

test("a reader at a deleted position continues at the log start", async () => {
  const { store } = await filled({ tailCacheBytes: 0 });
  const [inIt, behind] = [0, 7].map((from) => store.tail(0, { from }).batches());
  await Promise.all([inIt!.next(), behind!.next()]);
  await store.deleteRecords(0, 7);
  for (const baseOffset of [1, 2]) expect((await inIt!.next()).value).toMatchObject({ baseOffset }); // these have already been read
  expect((await inIt!.next()).value).toMatchObject({ baseOffset: 7 });
  expect((await behind!.next()).value).toMatchObject({ baseOffset: 8 });
  await Promise.all([inIt!.return(), behind!.return()]);
});

test("files are removed once the checkpoint is durable, the oldest first", async () => {
  const { store, storage } = await filled();
  const before = storage.calls.length;
  await store.deleteRecords(0, 7);
  const calls = storage.calls.slice(before).map(({ kind, path }) => `${kind} ${path.split("/").at(-1)}`);
  const durable = calls.indexOf("syncDirectory 0", calls.indexOf("rename checkpoint"));
  const removed = calls.flatMap((call, i) => (call.startsWith("remove") ? [i] : []));
  expect(calls.indexOf("sync checkpoint.tmp")).toBeLessThan(calls.indexOf("rename checkpoint"));
  expect(removed.map((i) => calls[i])).toEqual(
    [0, 3].flatMap((base) => [`remove ${name(base)}.index`, `remove ${name(base)}.log`]),
  );
  expect(durable).toBeGreaterThan(0);
  expect(removed[0]).toBeGreaterThan(durable);
  expect(calls.at(-1)).toBe("syncDirectory 0");
});

function name(baseOffset: number): string {
  return String(baseOffset).padStart(20, "0");
}

test("if the new log start cannot be written, nothing is deleted, and the call can be repeated", async () => {
  for (const [kind, path] of [
    ["createFile", "checkpoint.tmp"],
    ["write", "checkpoint.tmp"],
    ["sync", "checkpoint.tmp"],
    ["rename", "checkpoint"],
  ] as const) {
    const { store, storage, segments } = await filled();
    storage.before = failAt(kind, 1, path);
    expect(await caught(store.deleteRecords(0, 7))).toMatchObject({ code: "STORAGE_FAILED", partition: 0 });
    expect(await lines(store)).toEqual(all);
    expect((await store.append(null, "on")).offset).toBe(10);
    expect(await segments()).toEqual([0, 3, 6, 9]);
    await store.deleteRecords(0, 7);
    expect(await segments()).toEqual([6, 9]);
    await store.close();
  }
});

test("a failed sync during a deletion fails the partition", async () => {
  const { store, storage } = await filled({ durability: "written" });
  storage.before = failAt("sync", 1, ".log");
  expect(await codeOf(store.deleteRecords(0, 7))).toBe("STORAGE_FAILED");
  expect(await codeOf(store.append(null, "v"))).toBe("STORAGE_FAILED");
  expect(await lines(store)).toEqual(all);
});

test("after a crash at any call, the deletion is complete or had no effect, and no files are left", async () => {
  for (let k = 1; ; k++) {
    const { store, storage, segments } = await filled();
    const before = storage.calls.length;
    storage.before = ({ kind }) => {
      const isChange = kind !== "read" && kind !== "openFile";
      if (isChange && storage.calls.length - before >= k - 1) throw new Error("crash");
    };
    await store.deleteRecords(0, 7).catch(() => {});
    const made = storage.calls.length - before;
    storage.before = () => {};
    const again = await LogStore.open("store", { storage, segmentBytes: SEGMENT_BYTES });
    expect(again.recovery).toEqual([]);
    const { startOffset } = again.partition(0);
    expect([0, 7]).toContain(startOffset);
    expect(await lines(again)).toEqual(all.slice(startOffset));
    expect(await segments()).toEqual(startOffset === 0 ? [0, 3, 6, 9] : [6, 9]);
    expect(
      ((await storage.list("store/0")) ?? []).filter(
        (file) => file.endsWith(".index") && Number.parseInt(file, 10) < startOffset - 3,
      ),
    ).toEqual([]);
    expect((await again.append(null, "on")).offset).toBe(10);
    await again.close();
    await store.close().catch(() => {});
    if (made < k - 1) return; // every call was made
    expect(k).toBeLessThan(50);
  }
});

test("files that a crash left are not removed from a damaged log", async () => {
  const { store, storage } = await filled();
  storage.before = failAt("remove", 1, "00.index");
  await store.deleteRecords(0, 6).catch(() => {});
  await store.close().catch(() => {});
  storage.before = () => {};
  await storage.remove("store/0/00000000000000000009.log");
  const before = await storage.list("store/0");
  expect(before).toContain("00000000000000000003.log");
  const again = await LogStore.open("store", { storage, segmentBytes: SEGMENT_BYTES });
  expect(again.recovery).toMatchObject([{ damage: { code: "CORRUPT_PARTITION" } }]);
  await again.close();
  expect((await storage.list("store/0"))?.sort()).toEqual(before?.sort());
});

test("without its checkpoint, the log starts with its first file", async () => {
  const { store, storage } = await filled();
  await store.deleteRecords(0, 5);
  await store.close();
  await storage.remove("store/0/checkpoint");
  const again = await LogStore.open("store", { storage });
  expect(again.recovery).toEqual([]);
  expect(await lines(again)).toEqual(all.slice(3));
  await again.close();
});

test("on a real disk, killed and closed", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory, { segmentBytes: SEGMENT_BYTES });
  await appendOneByOne(store, range(10));
  await store.deleteRecords(0, 7);
  const copy = crashCopy(directory);
  await store.close();
  for (const each of [copy, directory]) {
    const again = await LogStore.open(each);
    expect(again.recovery).toEqual([]);
    expect(await lines(again)).toEqual(all.slice(7));
    expect((await again.append(null, "on")).offset).toBe(10);
    await again.close();
  }
});

test("by age: whole segments; the active one is rolled, so that it can be deleted", async () => {
  const { store, storage, appendAt, segments } = await opened();
  await appendAt(1000, 4); // segments 0 and 3
  await appendAt(2000, 2);
  await appendAt(3000, 1); // in segment 6
  expect(await segments()).toEqual([0, 3, 6]);
  store.alter({ retentionMs: 1000 });
  storage.time = 2000;
  await store.applyRetention();
  expect(await segments()).toEqual([0, 3, 6]);
  storage.time = 2001; // all of segment 0 is older than the record that was appended at 1000 to segment 3
  await store.applyRetention();
  expect(await segments()).toEqual([3, 6]);
  expect(store.partition(0).startOffset).toBe(3);
  storage.time = 4000;
  await store.applyRetention();
  expect(await segments()).toEqual([3, 6]); // the known bound of segment 3 allows for records appended at 3000
  storage.time = 4001;
  await store.applyRetention();
  expect(await segments()).toEqual([7]);
  expect(store.partition(0)).toMatchObject({ startOffset: 7, endOffset: 7 });
  await store.applyRetention();
  expect(await segments()).toEqual([7]); // an empty segment is not rolled again
  await appendAt(5000, 1);
  expect(await lines(store)).toEqual(["7 v0"]);
});

test("by size: the oldest segments, as long as the others have the given size", async () => {
  const { store, segments } = await filled();
  const segment = 3 * (74 + 4 + 2); // length of a segment of three records
  expect(store.partition(0).startOffset).toBe(0);
  const bytes = async () => (await store.partition(0).slice(0, 1))!.length * 10;
  const tenRecords = await bytes();
  expect(tenRecords).toBeLessThan(segment * 4);
  store.alter({ retentionBytes: tenRecords });
  await store.applyRetention();
  expect(await segments()).toEqual([0, 3, 6, 9]);
  store.alter({ retentionBytes: (tenRecords / 10) * 7 });
  await store.applyRetention();
  expect(await segments()).toEqual([3, 6, 9]);
  store.alter({ retentionBytes: 1 });
  await store.applyRetention();
  expect(await segments()).toEqual([9]);
  store.alter({ retentionBytes: 0 });
  await store.applyRetention();
  expect(await segments()).toEqual([9]); // the active segment stays
  expect(await lines(store)).toEqual(["9 v9"]);
});

test("retention is applied after a roll", async () => {
  const { store, segments } = await opened({ retentionBytes: 500 });
  await appendOneByOne(store, range(60));
  await store.flush();
  await store.deleteRecords(0, 0); // waits for the work in progress
  expect((await segments()).length).toBeLessThanOrEqual(4);
  const { startOffset } = store.partition(0);
  expect(startOffset).toBeGreaterThanOrEqual(48);
  expect(await lines(store)).toEqual(
    range(60)
      .map((value, offset) => `${offset} ${value}`)
      .slice(startOffset),
  );
});

test("without limits nothing is deleted, and no segment is rolled", async () => {
  const { store, storage, segments } = await filled();
  storage.time = Number.MAX_SAFE_INTEGER;
  await store.applyRetention();
  expect(await segments()).toEqual([0, 3, 6, 9]);
});

test("retention skips damaged and failed partitions, and continues with the others", async () => {
  const { store, storage } = await opened({ partitions: 3, retentionBytes: 0 });
  for (const partition of [0, 1, 2]) await appendOneByOne(store, range(10), partition);
  storage.before = failAt("sync", 1, "store/1/00000000000000000009.log");
  await codeOf(store.append(null, "v", { partition: 1 }));
  await store.applyRetention();
  expect([0, 1, 2].map((partition) => store.partition(partition).startOffset).map((start) => start >= 6)).toEqual([
    true,
    true,
    true,
  ]);
  expect((await valuesUntilError(store, 1)).read.at(-1)).toBe("v9");
});
