/**
 * Records that are deleted or lost before an embedded reader reaches them: every skip is reported
 * to the reader, which continues after them.
 */
import { expect, onTestFinished, test } from "vitest";
import { appendOneByOne, caught, range } from "../../test/records.js";
import { LogStore, MemoryStorage, type ReadOnlyLogStore, type SkippedRecords } from "../index.js";

const LARGE = "x".repeat(20_000);

async function open(storage: MemoryStorage, segmentBytes: number): Promise<LogStore> {
  const store = await LogStore.open("store", { storage, segmentBytes });
  onTestFinished(() => store.close());
  return store;
}

async function openReadOnly(storage: MemoryStorage): Promise<ReadOnlyLogStore> {
  const store = await LogStore.openReadOnly("store", { storage });
  onTestFinished(() => store.close());
  return store;
}

/** A store of six records, of which a repair has removed 2 and 5. */
async function repaired(storage: MemoryStorage): Promise<LogStore> {
  const store = await open(storage, 200);
  await appendOneByOne(store, range(6));
  for (const [segment, half] of [
    [2, 0],
    [4, 1],
  ] as const) {
    const file = await storage.openFile(`store/0/${String(segment).padStart(20, "0")}.log`);
    await file.write([Buffer.alloc(20, 0xa5)], (half * (await file.size())) / 2);
    await file.sync();
  }
  await store.repair({ dryRun: false });
  return store;
}

function told() {
  const skips: SkippedRecords[] = [];
  return { skips, onSkipped: (skipped: SkippedRecords) => void skips.push(skipped) };
}

test("onSkipped reports records that a repair removed, within the log and at its end", async () => {
  const storage = new MemoryStorage();
  const store = await repaired(storage);
  const all = [
    { partition: 0, from: 2, to: 3 },
    { partition: 0, from: 5, to: 6 },
  ];
  for (const readable of [store, await openReadOnly(storage)]) {
    const records = told();
    const offsets = (await Array.fromAsync(readable.read(0, { onSkipped: records.onSkipped }))).map(
      ({ offset }) => offset,
    );
    expect([offsets, records.skips]).toEqual([[0, 1, 3, 4], all]);
    const batches = told();
    await Array.fromAsync(readable.read(0, { from: 3, onSkipped: batches.onSkipped }).batches());
    expect(batches.skips).toEqual(all.slice(1));
  }
  const tail = told();
  const records = store.tail(0, { from: 4, onSkipped: tail.onSkipped })[Symbol.asyncIterator]();
  expect((await records.next()).value?.offset).toBe(4);
  const next = records.next();
  await appendOneByOne(store, ["6"]);
  expect((await next).value?.offset).toBe(6);
  await records.return?.();
  expect(tail.skips).toEqual(all.slice(1));
});

test("onSkipped reports records that were deleted meanwhile, and reading continues after them", async () => {
  const storage = new MemoryStorage();
  const store = await open(storage, 50_000);
  await appendOneByOne(store, Array(10).fill(LARGE));
  const reader = await openReadOnly(storage);
  const readers = [store, reader].flatMap((readable) =>
    (["read", "tail"] as const).map((way) => {
      const { skips, onSkipped } = told();
      return { skips, records: readable[way](0, { from: "earliest", onSkipped })[Symbol.asyncIterator]() };
    }),
  );
  const untold = store.tail(0, { from: "earliest" })[Symbol.asyncIterator]();
  for (const { records } of [...readers, { records: untold }]) expect((await records.next()).value?.offset).toBe(0);
  await store.deleteRecords(0, 7);
  await expect.poll(() => reader.partition(0).startOffset, { interval: 2 }).toBe(7);
  for (const { records, skips } of readers) {
    expect((await records.next()).value?.offset).toBe(7);
    expect(skips).toEqual([{ partition: 0, from: 1, to: 7 }]);
    await records.return?.();
  }
  expect((await untold.next()).value?.offset).toBe(7);
  await untold.return?.();
});

test("a start within a batch whose first records are deleted skips those", async () => {
  const store = await open(new MemoryStorage(), 1_000_000);
  await appendOneByOne(store, Array(3).fill(LARGE));
  await store.appendMany(0, Array(6).fill({ key: null, value: "together" }));
  const { skips, onSkipped } = told();
  const records = store.tail(0, { from: "earliest", onSkipped })[Symbol.asyncIterator]();
  await records.next();
  await store.deleteRecords(0, 5);
  expect((await records.next()).value?.offset).toBe(5);
  expect(skips).toEqual([{ partition: 0, from: 1, to: 5 }]);
  await records.return?.();
});

test("an error of onSkipped ends the iteration", async () => {
  const store = await repaired(new MemoryStorage());
  const onSkipped = () => {
    throw new Error("records are missing");
  };
  const seen: number[] = [];
  const read = async () => {
    for await (const { offset } of store.read(0, { onSkipped })) seen.push(offset);
  };
  expect(await caught(read())).toMatchObject({ message: "records are missing" });
  expect(seen).toEqual([0, 1]);
  expect((await Array.fromAsync(store.read(0))).map(({ offset }) => offset)).toEqual([0, 1, 3, 4]);
});
