/**
 * On a full disk records can be read, whole segments can be deleted, and a restart finds everything
 * that was acknowledged.
 */
import { expect, onTestFinished, test } from "vitest";
import { caught, range, values } from "../../../test/records.js";
import { LogStore, type LogStoreOptions } from "../../index.js";
import { SimulatedDisk } from "../../testing/index.js";

const options = { segmentBytes: 400, tailCacheBytes: 0 } as const;

async function open(storage: SimulatedDisk, more: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open("data", { ...options, ...more, storage });
  onTestFinished(() => store.close().catch(() => {}));
  return store;
}

async function filled(): Promise<{ disk: SimulatedDisk; store: LogStore }> {
  const disk = new SimulatedDisk();
  const store = await open(disk);
  for (const value of range(20)) await store.append(null, value.padEnd(50));
  return { disk, store };
}

/** Makes all writes fail for lack of space. Files can still be renamed and removed. */
function fill(disk: SimulatedDisk): void {
  disk.failAt(1, "ENOSPC", { forGood: true, when: ({ kind }) => kind === "createFile" || kind === "write" });
}

const logs = (disk: SimulatedDisk) => disk.paths().filter((path) => path.endsWith(".log"));
const offsets = async (store: LogStore) => (await Array.fromAsync(store.read(0))).map(({ offset }) => offset);
const from = (start: number) =>
  range(20)
    .map((_, i) => i)
    .slice(start);

test.each(["before an append has failed", "after an append has failed", "after a restart"])(
  "old segments are deleted %s",
  async (when) => {
    const { disk, store } = await filled();
    let [on, full] = [disk, store];
    if (when === "after a restart") {
      await store.append(null, "torn");
      on = disk.powerCut("tear");
      fill(on);
      full = await open(on);
    } else {
      fill(on);
      if (when === "after an append has failed") {
        expect(await caught(full.append(null, "x".repeat(100)))).toMatchObject({ code: "STORAGE_FAILED" });
      }
    }
    const before = logs(on);
    const { length } = await offsets(full);
    await full.deleteRecords(0, 8);
    expect(full.partition(0).startOffset).toBe(8);
    expect((await offsets(full))[0]).toBe(8);
    expect(logs(on).length).toBeLessThan(before.length);
    // After a power failure of any outcome, deleted records stay deleted and nothing else is lost.
    for (const outcome of ["drop-all", "keep-some", "tear"] as const) {
      const again = await open(on.copy().powerCut(outcome));
      expect(again.recovery.filter(({ damage }) => damage !== undefined)).toEqual([]);
      expect((await offsets(again)).slice(0, 12)).toEqual(from(8).slice(0, 12));
      expect((await again.append(null, "on")).offset).toBeGreaterThanOrEqual(length);
    }
    expect(on.paths().filter((path) => path.endsWith(".start")).length).toBe(1);
    on.mend();
    await full.close().catch(() => {});
    const mended = await open(on);
    expect(on.paths().filter((path) => path.endsWith(".start"))).toEqual([]);
    expect((await offsets(mended)).slice(0, 12)).toEqual(from(8));
  },
);

test("retention works on a partition that accepts no appends", async () => {
  const { disk, store } = await filled();
  fill(disk);
  await caught(store.append(null, "x".repeat(100)));
  store.alter({ retentionBytes: 500 });
  const before = logs(disk).length;
  await store.applyRetention();
  expect(logs(disk).length).toBeLessThan(before);
  expect(store.partition(0).startOffset).toBeGreaterThan(0);
  await store.applyRetention(); // nothing is left to delete
});

test("then only whole segments can be deleted", async () => {
  const { disk, store } = await filled();
  fill(disk);
  const error = await caught(store.append(null, "x".repeat(100)));
  const before = disk.paths();
  expect(await caught(store.deleteRecords(0, 1))).toBe(error);
  expect(await caught(store.deleteRecords(0, 21))).toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
  expect(disk.paths()).toEqual(before);
  expect(await values(store)).toHaveLength(20);
});

test("the deletion of a segment can be interrupted at any call", async () => {
  for (let k = 1; ; k++) {
    const { disk, store } = await filled();
    fill(disk);
    await caught(store.append(null, "x".repeat(100)));
    disk.stopAt(k);
    const error = await store.deleteRecords(0, 8).then(
      () => undefined,
      (error: unknown) => error,
    );
    for (const outcome of ["drop-all", "keep-some", "tear"] as const) {
      const again = await open(disk.powerCut(outcome));
      expect(again.recovery.filter(({ damage }) => damage !== undefined)).toEqual([]);
      const { startOffset } = again.partition(0);
      expect(error === undefined ? [8] : [0, 8]).toContain(startOffset);
      expect((await offsets(again)).slice(0, 20 - startOffset)).toEqual(from(startOffset));
    }
    if (error === undefined && k > 10) return;
  }
});

test("a deletion that may not be durable fails the partition, and its error does not claim that nothing was deleted", async () => {
  const { disk, store } = await filled();
  let renamed = false;
  disk.failAt(1, "EIO", {
    when: ({ kind, path }) => {
      renamed ||= kind === "rename" && path.endsWith("checkpoint");
      return renamed && kind === "syncDirectory";
    },
  });
  const error = (await caught(store.deleteRecords(0, 8))) as Error;
  expect(error).toMatchObject({ code: "STORAGE_FAILED", partition: 0 });
  expect(error.message).not.toMatch(/no record was deleted/);
  expect(store.failedPartitions).toEqual([0]);
  const again = await open(disk.powerCut("keep-some"));
  expect([0, 8]).toContain(again.partition(0).startOffset);
});
