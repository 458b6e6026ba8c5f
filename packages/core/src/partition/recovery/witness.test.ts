/**
 * Valid headers within megabytes of damage are found at every position, including the boundaries
 * between two reads.
 */
import { RecordBatchBuilder, writeServerHalf } from "@logstore/codec";
import { expect, test } from "vitest";
import { MemoryStorage } from "../../index.js";
import type { StorageFile } from "../../storage/storage.js";
import { soundHeaders, witnessBehind } from "./witness.js";

const MIB = 1024 * 1024;

function batch(baseOffset: number, value: Uint8Array | string = "v", flushedUpTo = baseOffset): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, value, 1);
  const bytes = builder.seal();
  writeServerHalf(bytes, { baseOffset, appendTime: 1, flushedUpTo });
  return bytes;
}

/**
 * A file of noise that contains incomplete batch marks, with the given contents at their positions.
 */
async function fileWith(size: number, contents: readonly { at: number; bytes: Uint8Array }[]): Promise<StorageFile> {
  const storage = new MemoryStorage();
  await storage.makeDirectory("d");
  const file = await storage.createFile("d/f");
  const noise = Buffer.alloc(size, "LSB LS LLSB\u0000");
  for (const { at, bytes } of contents) noise.set(bytes, at);
  await file.write([noise], 0);
  return file;
}

async function found(file: StorageFile, position: number, end: number): Promise<[number, number][]> {
  return (await Array.fromAsync(soundHeaders(file, position, end))).map((header) => [
    header.position,
    header.baseOffset,
  ]);
}

test("a header at every byte around the border of a chunk", async () => {
  const start = 100;
  const end = start + MIB + 500;
  const file = await fileWith(end, []);
  const noise = Buffer.alloc(end);
  await file.read(noise, 0);
  const bytes = batch(5);
  for (let at = start + MIB - bytes.length - 2; at <= start + MIB + 4; at++) {
    await file.write([bytes], at);
    expect(await found(file, start, end)).toEqual([[at, 5]]);
    await file.write([noise.subarray(at, at + bytes.length)], at);
  }
});

test("many headers over many chunks, each once", async () => {
  const places = Array.from({ length: 400 }, (_, i) => ({ at: 13_337 * i + (i % 7), bytes: batch(i) }));
  const file = await fileWith(6 * MIB, places);
  expect(await found(file, 0, 6 * MIB)).toEqual(places.map(({ at }, i) => [at, i]));
  expect(await found(file, 13_337 * 100, 13_337 * 200)).toHaveLength(100);
});

test("the bytes of a batch with a valid header are skipped, however long it is", async () => {
  const inner = Buffer.concat(Array.from({ length: (3 * MIB) / 80 }, (_, i) => batch(1000 + i)));
  const outer = batch(3, inner);
  const file = await fileWith(outer.length + 2000, [
    { at: 700, bytes: outer },
    { at: 700 + outer.length + 50, bytes: batch(4) },
  ]);
  expect(await found(file, 0, outer.length + 2000)).toEqual([
    [700, 3],
    [700 + outer.length + 50, 4],
  ]);
});

test("a truncated header at the end does not count", async () => {
  const bytes = batch(5);
  for (const length of [4, 35, 36, 71]) {
    const file = await fileWith(MIB + 10 + length, [{ at: MIB + 10, bytes: bytes.subarray(0, length) }]);
    expect(await found(file, 0, MIB + 10 + length)).toEqual(length < 36 ? [] : [[MIB + 10, 5]]);
  }
});

test("a file that is shorter than declared ends the search", async () => {
  const file = await fileWith(1000, [{ at: 100, bytes: batch(5) }]);
  expect(await found(file, 0, 3 * MIB)).toEqual([[100, 5]]);
});

test("only headers after the damage are proof, and only for what precedes them", async () => {
  const file = await fileWith(MIB, [
    { at: 100, bytes: batch(3, "v", 3) }, // the offset at which the damage begins
    { at: 5000, bytes: batch(7, "v", 6) },
    { at: 6000, bytes: batch(8, "v", 100) }, // higher than any offset that can have been durable when the batch was written
    { at: 7000, bytes: batch(2, "v", 2) },
  ]);
  expect(await witnessBehind(file, 0, MIB, 3)).toEqual({ durable: 6, given: 8 });
  expect(await witnessBehind(file, 0, 4000, 3)).toEqual({ durable: 0, given: 4 });
  expect(await witnessBehind(file, 0, MIB, 9)).toEqual({ durable: 0, given: 0 });
});

test("a batch with damaged records still accounts for the offsets that it declares", async () => {
  const rotten = Buffer.from(batch(5, "x".repeat(300)));
  rotten[200]! ^= 1;
  const file = await fileWith(5000, [{ at: 100, bytes: rotten }]);
  const { given } = await witnessBehind(file, 0, 5000, 3);
  expect(given).toBe(6);
});
