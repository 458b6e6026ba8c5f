/**
 * The tail cache holds the newest batches as they are on disk, stays within its limit, and cannot
 * be modified by its users.
 */
import { frameBatches, type RecordBatch } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { failAt, HookedStorage } from "../../../test/hooked-storage.js";
import { Random } from "../../../test/random.js";
import { appendOneByOne, codeOf, range, sealed, text, values } from "../../../test/records.js";
import { LogStore, type LogStoreOptions } from "../../index.js";
import type { Segment } from "../../segment/segment.js";
import { PartitionTail, TailCache } from "./tail-cache.js";

/** No batch whose buffer the cache may free. */
const none: ReadonlySet<RecordBatch> = new Set();

async function opened(options: LogStoreOptions = {}) {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, ...options });
  onTestFinished(() => store.close().catch(() => {}));
  let reads = 0;
  storage.before = ({ kind, path }) => {
    if (kind === "read" && path.endsWith(".log")) reads++;
  };
  /** Returns the number of disk reads since the last call. */
  const diskReads = () => {
    const count = reads;
    reads = 0;
    return count;
  };
  return { storage, store, diskReads };
}

test("readers at the end of the log do not read from disk, whatever others do", async () => {
  const { store, diskReads } = await opened({ partitions: 3, segmentBytes: 400 });
  const live = range(6).map(async (_, i) => {
    const seen: string[] = [];
    for await (const { value } of store.tail(i % 3, { from: 0 })) if (seen.push(text(value)!) === 50) return seen;
    return seen;
  });
  await Promise.all([0, 1, 2].map((partition) => appendOneByOne(store, range(50), partition)));
  for (const seen of await Promise.all(live)) expect(seen).toEqual(range(50));
  expect(diskReads()).toBe(0);
  for (const from of [0, 17, 49]) expect(await values(store, 1, from)).toEqual(range(50).slice(from));
  expect(diskReads()).toBe(0);
});

test("0 turns it off", async () => {
  const { store, diskReads } = await opened({ tailCacheBytes: 0 });
  await appendOneByOne(store, range(3));
  expect(await values(store)).toEqual(range(3));
  expect(diskReads()).toBeGreaterThan(0);
});

test("records from before the store was opened are read from disk, later ones from memory", async () => {
  const { store, storage } = await opened();
  await appendOneByOne(store, range(5));
  await store.close();
  const again = await LogStore.open("store", { storage });
  await appendOneByOne(again, range(5, "w"));
  let reads = 0;
  storage.before = ({ kind }) => {
    if (kind === "read") reads++;
  };
  expect(await values(again, 0, 5)).toEqual(range(5, "w"));
  expect(reads).toBe(0);
  expect(await values(again, 0, 4)).toEqual(["v4", ...range(5, "w")]);
  expect(reads).toBeGreaterThan(0);
  await again.close();
});

test("all partitions share the cache: the oldest batches are evicted first", async () => {
  const { store, diskReads } = await opened({ partitions: 2, tailCacheBytes: 10_000 });
  const kilobyte = range(20).map((value) => value.padEnd(900, "."));
  for (const value of kilobyte) for (const partition of [0, 1]) await store.append(null, value, { partition });
  for (const partition of [0, 1]) {
    const inMemory: number[] = [];
    for (let from = 0; from < 20; from++) {
      expect(await values(store, partition, from)).toEqual(kilobyte.slice(from));
      if (diskReads() === 0) inMemory.push(from);
    }
    expect(inMemory).toEqual([15, 16, 17, 18, 19]);
  }
});

test("a burst in one partition evicts the others, and a batch larger than the cache is not kept", async () => {
  const { store, diskReads } = await opened({ partitions: 2, tailCacheBytes: 10_000 });
  await store.append(null, "quiet", { partition: 1 });
  await store.append(null, "x".repeat(20_000), { partition: 0 });
  await values(store, 1);
  expect(diskReads()).toBeGreaterThan(0);
  expect((await values(store, 0))[0]).toHaveLength(20_000);
  expect(diskReads()).toBeGreaterThan(0);
  await store.append(null, "again", { partition: 1 });
  expect(await values(store, 1, 1)).toEqual(["again"]);
  expect(diskReads()).toBe(0);
});

test("the batches of a closed partition are dropped, which makes room for others", () => {
  const cache = new TailCache(10_000);
  const segment = {} as Segment;
  let offset = 0;
  const batch = () => {
    const [framed] = frameBatches(sealed(["x".repeat(900)]));
    return framed!.accept({ baseOffset: offset++, appendTime: 0, flushedUpTo: 0 });
  };
  const stays = new PartitionTail(cache);
  const first = batch();
  stays.add([first], segment, 0, none);
  // Many more tails than fit, opened one after another: closed ones do not evict the batches of
  // others.
  for (let i = 0; i < 5_000; i++) {
    const closed = new PartitionTail(cache);
    const own = batch();
    closed.add([own], segment, 0, none);
    expect(closed.read(own.baseOffset, own.nextOffset, 1)?.batches).toEqual([own]);
    closed.close();
    closed.close();
    closed.add([batch()], segment, own.byteLength, none); // an append that was in progress
    expect(closed.read(own.baseOffset, offset, 1)).toBeUndefined();
  }
  expect(stays.read(0, 1, 1)?.batches).toEqual([first]);
  // The limit still holds.
  for (let i = 0; i < 20; i++) stays.add([batch()], segment, 0, none);
  expect(stays.read(0, 1, 1)).toBeUndefined();
});

test("memory and disk return the same batches, from every offset, for every size", async () => {
  const random = new Random(7);
  const values = Array.from({ length: 60 }, (_, i) => `${i}.`.padEnd(random.whole(1, 300), "x"));
  const options = { segmentBytes: 1500 };
  const [cached, plain] = [await opened(options), await opened({ ...options, tailCacheBytes: 0 })];
  cached.storage.time = plain.storage.time = 1000;
  for (let i = 0; i < values.length; ) {
    const count = random.whole(1, 4);
    const records = values.slice(i, i + count).map((value) => ({ value, timestamp: 0 }));
    for (const { store } of [cached, plain]) await store.appendMany(0, records);
    i += count;
  }
  for (let from = 0; from <= values.length; from++) {
    for (const maxBytes of [1, 300, 1000, 100_000]) {
      expect(await chunks(cached.store, from, maxBytes)).toBe(await chunks(plain.store, from, maxBytes));
    }
  }
  expect(cached.diskReads()).toBe(0);
});

/** Returns every batch from an offset on with its position, read in chunks of `maxBytes`. */
async function chunks(store: LogStore, from: number, maxBytes: number): Promise<string> {
  const reader = store.log(0).reader(from);
  const found: string[] = [];
  for (;;) {
    const chunk = await reader.next({ maxBytes });
    if (chunk === undefined) return found.join("\n");
    let { position } = chunk;
    for (const { bytes } of frameBatches(chunk.bytes)) {
      found.push(`${chunk.segment.name} ${position} ${Buffer.from(bytes).toString("hex")}`);
      position += bytes.length;
    }
    expect(chunk.bytes.length <= maxBytes || [...frameBatches(chunk.bytes)].length === 1).toBe(true);
    expect(chunk.nextOffset).toBe(reader.offset);
  }
}

test("a reader that modifies its bytes does not affect other readers", async () => {
  const { store, diskReads } = await opened();
  await appendOneByOne(store, ["a", "b"]);
  const chunk = await store.log(0).reader(0).next({ maxBytes: 1000 });
  chunk!.bytes.fill(0);
  for await (const batch of store.read(0).batches()) batch.bytes.fill(1);
  expect(await values(store)).toEqual(["a", "b"]);
  expect(diskReads()).toBe(0);
});

test("a reader that modifies the bytes of a single batch does not affect other readers either", async () => {
  const { store, diskReads } = await opened();
  await store.append(null, "a");
  (await store.log(0).reader(0).next({ maxBytes: 1 }))!.bytes.fill(0);
  expect(await values(store)).toEqual(["a"]);
  expect(diskReads()).toBe(0);
});

test("a batch is not read from memory before it is durable, also not together with others", async () => {
  const { store, storage, diskReads } = await opened();
  await store.append(null, "a");
  const sync = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  storage.before = ({ kind, path }) => {
    if (kind !== "sync" || !path.endsWith(".log")) return;
    begun.resolve();
    return sync.promise;
  };
  const appended = store.append(null, "b");
  await begun.promise;
  const chunk = await store.log(0).reader(0).next({ maxBytes: 10_000 });
  expect(chunk!.nextOffset).toBe(1);
  sync.resolve();
  await appended;
  expect(await values(store)).toEqual(["a", "b"]);
  expect(diskReads()).toBe(0);
});

test("a reader goes on from disk where it left the memory", async () => {
  const { store, diskReads } = await opened({ tailCacheBytes: 10_000 });
  const kilobyte = range(20).map((value, i) => value.padEnd(900 - 7 * i, "."));
  await appendOneByOne(store, kilobyte);
  const reader = store.log(0).reader(15);
  await reader.next({ maxBytes: 1 });
  expect([reader.offset, diskReads()]).toEqual([16, 0]);
  await appendOneByOne(store, kilobyte); // evicts the batches that follow
  const chunk = await reader.next({ maxBytes: 1 });
  const [batch] = [...frameBatches(chunk!.bytes)];
  expect([batch!.baseOffset, diskReads() > 0]).toEqual([16, true]);
});

test("deleted records are not read from memory either", async () => {
  const { store } = await opened();
  await appendOneByOne(store, range(5));
  await store.deleteRecords(0, 3);
  await expect(values(store, 0, 2)).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE" });
  expect(await values(store)).toEqual(["v3", "v4"]);
});

test("the cache never exceeds its size, however long it runs", async () => {
  const { store } = await opened();
  await store.append(null, "v");
  const segment = store.log(0).segments.active!;
  const [batch] = [...frameBatches((await store.log(0).reader(0).next({ maxBytes: 1000 }))!.bytes)];
  const cache = new TailCache(batch!.byteLength * 10);
  const tails = [new PartitionTail(cache), new PartitionTail(cache)];
  const held = () => tails.map((tail) => tail.read(0, 1, Number.MAX_SAFE_INTEGER)?.batches.length ?? 0);
  for (let i = 0; i < 5000; i++) {
    tails[i % 3 === 0 ? 1 : 0]!.add([batch!], segment, 0, none);
    const [a, b] = held();
    expect(a! + b!).toBeLessThanOrEqual(10);
  }
});

test("the memory of batches that the store sealed is freed with their eviction, that of others is left alone", async () => {
  const cache = new TailCache(50_000);
  const tail = new PartitionTail(cache);
  const segment = {} as Segment;
  let baseOffset = 0;
  const batch = () => {
    const [framed] = frameBatches(sealed(["x".repeat(20_000)]));
    return framed!.accept({ baseOffset: baseOffset++, appendTime: 0, flushedUpTo: 0 });
  };
  const [own, foreign, ...later] = [batch(), batch(), batch(), batch(), batch()];
  const { byteLength } = own!;
  tail.add([own!, foreign!], segment, 0, new Set([own!]));
  expect([own!.byteLength, foreign!.byteLength]).toEqual([byteLength, byteLength]);
  tail.add(later, segment, 0, none);
  expect(tail.read(1, 2, 1)).toBeUndefined();
  expect([own!.byteLength, foreign!.byteLength]).toEqual([0, byteLength]);
});

test.each([0, 100_000])(
  "a cache of %d bytes: records are read as they were appended, and no bytes of a caller are touched",
  async (tailCacheBytes) => {
    const { store } = await opened({ tailCacheBytes });
    const value = new Uint8Array(30_000).fill(7);
    for (let i = 0; i < 6; i++) {
      await store.appendMany(0, [{ value }]);
      await store.append(null, value, { partition: 0 });
      const batch = sealed(["s".repeat(30_000)]);
      const copy = Uint8Array.from(batch);
      await store.log(0).appendBatches(batch);
      expect(Buffer.compare(batch.subarray(-30_000), copy.subarray(-30_000))).toBe(0);
    }
    expect(value).toEqual(new Uint8Array(30_000).fill(7));
    const lengths = [];
    for await (const record of store.read(0)) lengths.push(`${record.value.length} ${record.value[0]}`);
    expect(lengths).toEqual(range(18).map((_, i) => `30000 ${i % 3 === 2 ? 115 : 7}`));
  },
);

test("an append that owns its buffer leaves it to the cache, which frees it", async () => {
  const { store } = await opened({ tailCacheBytes: 30_000 });
  const batch = () => sealed(["x".repeat(20_000)]);
  const [owned, foreign] = [batch(), batch()];
  const two = Uint8Array.from([...batch(), ...batch()]);
  const lengths = [owned.length, foreign.length, two.length];
  await store.log(0).appendBatches(owned, { isOwned: true });
  expect([owned.length, foreign.length, two.length]).toEqual(lengths);
  await store.log(0).appendBatches(foreign);
  await store.log(0).appendBatches(two, { isOwned: true });
  await store.log(0).appendBatches(batch());
  expect([owned.length, foreign.length, two.length]).toEqual([0, ...lengths.slice(1)]);
  expect((await values(store)).map((value) => value.length)).toEqual(Array(5).fill(20_000));
});

test("the buffer of an append that fails is left to its caller", async () => {
  const { store, storage } = await opened({ tailCacheBytes: 0, durability: "flushed" });
  await store.append(null, "v");
  storage.before = failAt("sync", 1, ".log");
  const batch = sealed(["x".repeat(20_000)]);
  const { length } = batch;
  expect(await codeOf(store.log(0).appendBatches(batch, { isOwned: true }))).toBe("STORAGE_FAILED");
  expect(batch.length).toBe(length);
});

test("the position on disk is known for each batch of a group", async () => {
  const store = await LogStore.open(":memory:", { durability: "written" });
  await Promise.all(["a", "bb", "ccc"].map((value) => store.appendMany(0, [{ value, timestamp: 0 }])));
  let position = 0;
  for (const offset of [0, 1, 2]) {
    const slice = await store.partition(0).slice(offset, 1);
    expect(slice).toMatchObject({ position, nextOffset: offset + 1 });
    position += slice!.length;
  }
  await store.close();
});
