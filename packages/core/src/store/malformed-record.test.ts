/**
 * A record that is malformed although the checksum of its batch fits, as a faulty writer leaves it:
 * a reader gets the records before it, then the error, and is over.
 */
import { CorruptBatchError, crc32c } from "@logstore/codec";
import { expect, onTestFinished, test } from "vitest";
import { LogStore, MemoryStorage } from "../index.js";

async function withMalformedRecord(): Promise<LogStore> {
  const storage = new MemoryStorage();
  const store = await LogStore.open("store", { storage });
  await store.append(null, "0000");
  await store.appendMany(0, [{ value: "aaaa" }, { value: "bbbb" }, { value: "cccc" }]);
  await store.close();
  const file = await storage.openFile(`store/0/${"0".repeat(20)}.log`);
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  bytes[bytes.indexOf("cccc") - 3] = 0x7e; // the record's length, beyond the batch
  const batch = bytes.subarray(bytes.lastIndexOf("LSB"));
  batch.writeUInt32LE(crc32c(batch.subarray(40)), 36); // see docs/format/record-batch.md
  await file.write([bytes], 0);
  await file.sync();
  const again = await LogStore.open("store", { storage });
  onTestFinished(() => again.close());
  return again;
}

test("calls of next that do not wait for one another get the records, the error, and then the end", async () => {
  const store = await withMalformedRecord();
  const records = store.read(0)[Symbol.asyncIterator]();
  for (const offset of [0, 1]) expect((await records.next()).value?.offset).toBe(offset);
  const calls = [records.next(), records.next(), records.next()];
  const [last, malformed, end] = await Promise.allSettled(calls);
  expect(last).toMatchObject({ status: "fulfilled", value: { done: false, value: { offset: 2 } } });
  expect(malformed).toMatchObject({ status: "rejected", reason: expect.any(CorruptBatchError) });
  expect(end).toMatchObject({ status: "fulfilled", value: { done: true } });
});

test("a chunk has the records before it, the next call throws, and then the chunks end", async () => {
  const store = await withMalformedRecord();
  const chunks = store.read(0, { from: 1 }).chunks();
  expect((await chunks.next()).value?.map(({ offset }) => offset)).toEqual([1, 2]);
  await expect(chunks.next()).rejects.toThrow(CorruptBatchError);
  expect(await chunks.next()).toEqual({ value: undefined, done: true });
});
