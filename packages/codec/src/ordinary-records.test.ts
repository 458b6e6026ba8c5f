import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordCursor } from "./index.js";
import { areOrdinaryRecords } from "./ordinary-records.js";

const runs = Number(process.env["CODEC_RUNS"] ?? 500) * 20;

/** Decides with the cursor, the reference implementation. */
function areSound(bytes: Uint8Array, recordCount: number, baseTimestamp: number): boolean {
  try {
    const cursor = new RecordCursor(bytes, 0, recordCount, baseTimestamp);
    while (cursor.next()) cursor.headers;
    return true;
  } catch {
    return false;
  }
}

test.each<[string, number[], number, boolean]>([
  ["a null key and no value", [4, 0, 0], 1, true],
  ["a key and a value", [10, 2, 2, 107, 118, 118], 1, true],
  ["two records", [4, 0, 0, 6, 0, 1, 7], 2, true],
  ["fewer records than there are", [4, 0, 0, 4, 0, 0], 1, false],
  ["more records than there are", [4, 0, 0], 2, false],
  ["a body longer than the batch", [8, 0, 0], 1, false],
  ["a key longer than its record", [4, 0, 2], 1, false],
  ["a body without a key's length", [2, 0], 1, false],
  ["an empty body", [0], 1, false],
  ["a length of two bytes", [0x80 | 4, 0, 0, 0], 1, true],
  ["a length that goes on past the end", [0x80], 1, false],
  ["headers, which are for the cursor", [13, 0, 0, 0, 1, 97, 0], 1, false],
])("%s", (_what, bytes, count, expected) => {
  expect(areOrdinaryRecords(Uint8Array.from(bytes), count, 0)).toBe(expected);
});

test("for random bytes, accepts only what the cursor accepts", () => {
  const bytes = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 4, 6, 8, 10, 0x80, 0xff), fc.nat(255)), { maxLength: 24 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 4 }), (bytes, count) => {
      const records = Uint8Array.from(bytes);
      if (areOrdinaryRecords(records, count, 0)) expect(areSound(records, count, 0)).toBe(true);
    }),
    { numRuns: runs },
  );
});

test("leaves timestamps near the limit of safe integers to the cursor", () => {
  const delta1 = Uint8Array.of(4, 2, 0);
  expect(areOrdinaryRecords(delta1, 1, Number.MAX_SAFE_INTEGER)).toBe(false);
  expect(areOrdinaryRecords(delta1, 1, 1)).toBe(true);
});
