/** Changes of a log during a look-up, a read or a snapshot. */
import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../../test/hooked-storage.js";
import { range, sealed } from "../../../test/records.js";
import { Broker, LogStore } from "../../index.js";
import { SimulatedDisk } from "../../testing/index.js";

const options = { segmentBytes: 400, tailCacheBytes: 0 } as const;
const values = async (store: Pick<LogStore, "read">) =>
  (await Array.fromAsync(store.read(0))).map(({ value }) => Buffer.from(value).toString().trim());

test("a snapshot waits until the truncation of a finished segment's zeros is durable", async () => {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("data", { ...options, storage: disk });
  let release: (() => void) | undefined;
  let isCut = false;
  disk.onMutation = ({ kind, path }) => {
    isCut ||= kind === "truncate";
    if (!isCut || release !== undefined || kind !== "sync" || !path.endsWith("0/00000000000000000000.log")) return;
    return new Promise((resolve) => {
      release = resolve;
    });
  };
  // Every append before the roll is flushed. The append that rolls requests no sync, because a sync
  // would wait for the truncation.
  let appended = 0;
  for (; appended < 3; appended++) await store.append(null, `${appended}`.padEnd(50));
  for (; !isCut; appended++) await store.append(null, `${appended}`.padEnd(50), { durability: "written" });
  let isMade = false;
  const making = store.snapshot("copy").then(() => {
    isMade = true;
  });
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  if (!isMade) release?.();
  await making;
  const after = disk.powerCut("drop-all");
  const copy = await LogStore.openReadOnly("copy", { storage: after });
  expect(await values(copy)).toEqual(range(appended).map((_, i) => `${i}`));
  await copy.close();
});

test("a read that retention overtakes continues at the log start", async () => {
  const store = await LogStore.open(":memory:", options);
  onTestFinished(() => store.close());
  for (const value of range(2000)) await store.append(null, value.padEnd(50), { durability: "written" });
  const records = store.read(0)[Symbol.asyncIterator]();
  expect((await records.next()).value!.offset).toBe(0);
  await store.deleteRecords(0, 1990);
  const offsets: number[] = [];
  for (let next = await records.next(); !next.done; next = await records.next()) offsets.push(next.value.offset);
  expect(offsets.slice(-10)).toEqual(range(10).map((_, i) => 1990 + i));
});

test("a look-up by time continues at the log start if records are deleted meanwhile", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open(":memory:", { ...options, storage });
  onTestFinished(() => broker.close());
  await broker.createTopic({ topic: "t", partitions: 1 });
  storage.time = 1000;
  for (const value of range(20)) {
    storage.time++;
    await broker.produce({ topic: "t", partition: 0, batches: sealed([value.padEnd(50)]) });
  }
  const store = broker.topic("t");
  for (const look of [
    () => broker.listOffsets({ topic: "t", partitions: [{ partition: 0, position: { time: 1006 } }] }),
    () =>
      store
        .read(0, { from: { time: 1014 } })
        .batches()
        .next(),
  ]) {
    let deleted: Promise<void> | undefined;
    const start = store.partition(0).startOffset;
    const moved = async () => {
      while (store.partition(0).startOffset === start) await new Promise((resolve) => setImmediate(resolve));
    };
    storage.before = ({ kind, path }) => {
      if (kind !== "read" || !path.endsWith(".log")) return undefined;
      deleted ??= store.deleteRecords(0, start + 8);
      return moved();
    };
    const found = await look();
    storage.before = () => {};
    await deleted;
    expect(store.partition(0).startOffset).toBe(start + 8);
    if (Array.isArray(found)) expect(found).toMatchObject([{ offset: start + 8 }]);
    else expect(found.value!.nextOffset).toBeGreaterThan(start + 8);
  }
});

test("a reader in another process without watermarks sees only acknowledged records", async () => {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("data", { storage: disk });
  for (const value of range(3)) await store.append(null, value);
  await disk.remove("data/watermarks");
  let release = () => {};
  disk.onMutation = ({ kind, path }) =>
    kind === "sync" && path.endsWith(".log") ? new Promise<void>((resolve) => (release = resolve)) : undefined;
  const unacknowledged = store.append(null, "not yet");
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  const reader = await LogStore.openReadOnly("data", { storage: disk });
  expect(await values(reader)).not.toContain("not yet");
  await reader.close();
  disk.onMutation = undefined;
  release();
  await unacknowledged;
  await store.close();
});
