import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RecordBatchBuilder, registerCompression } from "@logstore/codec";
import { expect, test } from "vitest";
import { codeOf, values } from "../../test/records.js";
import { storeContract } from "../../test/store-contract/store-contract.js";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { Broker, LogStore } from "../index.js";

storeContract("memory", () => ":memory:");
storeContract("a directory", () => join(temporaryDirectory(), "not", "there", "yet"));

test("partitionOf returns the partition of a key", async () => {
  const store = await LogStore.open(":memory:", { partitions: 7 });
  const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`);
  for (const key of keys) expect((await store.append(key, "v")).partition).toBe(store.partitionOf(key));
  expect(new Set(keys.map((key) => store.partitionOf(key))).size).toBeGreaterThan(3);
  expect(store.partitionOf(new TextEncoder().encode("key 1"))).toBe(store.partitionOf("key 1"));
  for (const wrong of [null, undefined, 5]) expect(() => store.partitionOf(wrong as never)).toThrow(/key/);
  await store.close();
});

test("an ack contains the next offset, for one record and for many", async () => {
  const store = await LogStore.open(":memory:");
  const together = await Promise.all([store.append(null, "a"), store.append(null, "b")]);
  expect(together).toMatchObject([
    { offset: 0, nextOffset: 1 },
    { offset: 1, nextOffset: 2 },
  ]);
  expect(await store.append(null, "c", { expectedOffset: 2 })).toMatchObject({ offset: 2, nextOffset: 3 });
  expect(await store.appendMany(0, [{ value: "d" }, { value: "e" }])).toMatchObject({ offset: 3, nextOffset: 5 });
  await store.close();
});

test("a store keeps its partitioner and its partitions", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(`${directory}/`, { partitions: 3 });
  await store.append("k", "v", { partition: 2 });
  await store.close();
  const partitioner = { name: "another", partition: () => 0 };
  expect(await codeOf(LogStore.open(directory, { partitioner }))).toBe("PARTITIONER_MISMATCH");
  await expect(LogStore.open(directory, { partitions: 4 })).rejects.toMatchObject({
    code: "PARTITION_COUNT_MISMATCH",
    expected: 4,
    actual: 3,
  });
  const again = await LogStore.open(directory);
  expect(again.partitionCount).toBe(3);
  expect(await values(again, 2)).toEqual(["v"]);
  await again.close();
});

test("invalid options create no files", async () => {
  const directory = join(temporaryDirectory(), "store");
  expect(await codeOf(LogStore.open(directory, { compression: "lzma" as "gzip" }))).toBe("UNSUPPORTED_COMPRESSION");
  expect(existsSync(directory)).toBe(false);
});

test.runIf(process.platform === "linux")("reading a closed store leaves no file open", async () => {
  const directory = temporaryDirectory();
  const first = await LogStore.open(directory, { segmentBytes: 100 });
  for (let i = 0; i < 5; i++) await first.append(null, "a value");
  await first.close();
  const open = () => readdirSync("/proc/self/fd").length;
  const before = open();
  const store = await LogStore.open(directory);
  await store.close();
  expect(await codeOf(values(store))).toBe("CLOSED");
  expect(await codeOf(values(store, 0, { time: 1 }))).toBe("CLOSED");
  expect(open()).toBe(before);
});

test("a failing compressor fails only its own records", async () => {
  let fails = true;
  const compress = (bytes: Uint8Array) => {
    if (fails) throw new Error("out of order");
    return bytes;
  };
  registerCompression(101, "sometimes", { compress, decompress: (bytes) => bytes });
  const store = await LogStore.open(":memory:", { compression: "sometimes" });
  const failed = await Promise.allSettled([store.append("k", "a"), store.append("k", "b")]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  fails = false;
  expect((await store.append("k", "c")).offset).toBe(0);
  await store.close();
});

test("a header name that is not a string is refused, without affecting other records", async () => {
  const store = await LogStore.open(":memory:");
  const headers = [{ name: 5 as unknown as string, value: "x" }];
  const results = await Promise.allSettled([
    store.append("k", "a"),
    store.append("k", "b", { headers }),
    store.append("k", "c"),
  ]);
  expect(results).toMatchObject([
    { value: { offset: 0 } },
    { reason: { code: "INVALID_ARGUMENT" } },
    { value: { offset: 1 } },
  ]);
  await store.close();
});

test("more batches in one request than a JavaScript call can have arguments", async () => {
  const broker = await Broker.open(":memory:");
  await broker.createTopic({ topic: "t", partitions: 1 });
  const builder = new RecordBatchBuilder();
  builder.append(null, "", 0);
  const one = builder.seal();
  const count = 150_000;
  const batches = Buffer.concat(new Array(count).fill(one));
  expect(await broker.produce({ topic: "t", partition: 0, batches })).toMatchObject({ nextOffset: count });
  await broker.close();
});

test("a loop that only awaits its appends in memory lets timers run", async () => {
  const store = await LogStore.open(":memory:");
  const timer = { isOver: false };
  setTimeout(() => (timer.isOver = true), 10);
  const end = performance.now() + 20_000;
  while (!timer.isOver && performance.now() < end) await store.append(null, "x");
  expect(timer.isOver).toBe(true);
  await store.close();
});

test("a loop that only awaits its appends to a directory lets the event loop turn", async () => {
  const store = await LogStore.open(temporaryDirectory(), { durability: "written" });
  let turns = 0;
  const interval = setInterval(() => turns++, 1);
  for (let i = 0; i < 30_000; i++) await store.append(null, "x");
  clearInterval(interval);
  expect(turns).toBeGreaterThan(10);
  await store.close();
});
