import { expect, test } from "vitest";
import { RecordBatchBuilder } from "./record-batch-builder.js";
import { hasSoundServerHalf, readServerHalf, writeServerHalf } from "./server-half.js";

/** docs/format/record-batch.md: the first 32 bytes and the checksum of them. */
const SERVER_HALF_BYTES = 36;
const half = { baseOffset: 1234, appendTime: 1_700_000_000_000, flushedUpTo: 1200 };

function batchAt(at: number): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append("k", "value", 5);
  builder.append("k", "value", 6);
  const batch = builder.seal();
  const bytes = new Uint8Array(at + batch.length);
  bytes.set(batch, at);
  writeServerHalf(bytes, half, at);
  return bytes;
}

test("a server half is read as it was written, wherever it is in the buffer", () => {
  const bytes = batchAt(7);
  expect(hasSoundServerHalf(bytes, 7)).toBe(true);
  expect(readServerHalf(bytes, 7)).toEqual({ ...half, batchLength: bytes.length - 7, declaredRecordCount: 2 });
  expect(readServerHalf(bytes, 6)).toBeUndefined();
});

test("a server half with any flipped bit has no valid checksum, and is not read", () => {
  const bytes = batchAt(0);
  for (let bit = 0; bit < 8 * SERVER_HALF_BYTES; bit++) {
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
    expect(hasSoundServerHalf(bytes, 0)).toBe(false);
    expect(readServerHalf(bytes, 0)).toBeUndefined();
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
  }
});

test("a buffer that ends within the server half has none; one that ends after it does not tell the record count", () => {
  const bytes = batchAt(0);
  expect(hasSoundServerHalf(bytes.subarray(0, SERVER_HALF_BYTES - 1), 0)).toBe(false);
  const cut = bytes.subarray(0, SERVER_HALF_BYTES);
  expect(readServerHalf(cut, 0)).toMatchObject({ ...half, declaredRecordCount: 0 });
});
