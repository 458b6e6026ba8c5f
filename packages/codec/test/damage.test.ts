import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c, frameBatches, LogStoreError, RecordBatch, validateBatches } from "../src/index.js";
import { batch, damage, runs, splice } from "./arbitraries.js";
import { hex, readAll } from "./plain-record.js";

const HEADER = 72;

test("damage gives a typed error, or has no effect on the batches", () => {
  fc.assert(
    fc.property(batch, batch, damage, (a, b, damaged) => expectFound(damaged(Uint8Array.from([...a, ...b])), a, b)),
    runs,
  );
});

test("a splice of two batches is detected", () => {
  fc.assert(
    fc.property(batch, batch, splice, (a, b, spliced) => expectFound(spliced(a, b), a, b)),
    runs,
  );
});

test("each single bit of a batch is covered", () => {
  fc.assert(
    fc.property(batch, fc.nat({ max: 7 }), (bytes, bit) => {
      for (let at = 0; at < Math.min(bytes.length, 200); at++) {
        bytes[at]! ^= 1 << bit;
        expect(
          typedErrorOr(() => readAll(bytes)),
          `bit ${bit} of byte ${at}`,
        ).toBeInstanceOf(LogStoreError);
        bytes[at]! ^= 1 << bit;
      }
    }),
    { numRuns: Math.ceil(runs.numRuns / 10) },
  );
});

test("damage with valid checksums gives a typed error, or records within the batch's bounds", () => {
  fc.assert(
    fc.property(batch, damage, fc.boolean(), (bytes, damaged, lengthToo) => {
      const forged = forge(damaged(bytes), lengthToo);
      expectBounded(forged);
      const validated = typedErrorOr(() => validateBatches(forged));
      // Every consumer can read what a partition accepts.
      if (!(validated instanceof LogStoreError)) expect(() => readAll(forged)).not.toThrow();
    }),
    runs,
  );
});

test("malformed records with valid checksums", () => {
  const soup = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 8, 12, 0x7f, 0x80, 0xff), { minLength: 3, maxLength: 40 });
  fc.assert(
    fc.property(soup, fc.integer({ min: 1, max: 4 }), (records, count) => {
      const bytes = new Uint8Array(HEADER + records.length);
      bytes.set(records, HEADER);
      const view = new DataView(bytes.buffer);
      view.setUint32(60, count, true);
      view.setUint32(64, records.length, true);
      bytes.set([0x4c, 0x53, 0x42, 1]);
      expectBounded(forge(bytes, true));
    }),
    runs,
  );
});

test("garbage gives a typed error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), (bytes, ours) => {
      if (ours) bytes.set([0x4c, 0x53, 0x42, 1].slice(0, bytes.length));
      expect(typedErrorOr(() => readAll(bytes))).toBeInstanceOf(LogStoreError);
      expect(typedErrorOr(() => validateBatches(bytes))).toBeInstanceOf(LogStoreError);
    }),
    runs,
  );
});

function expectFound(bytes: Uint8Array, ...written: Uint8Array[]): void {
  const whole = written.map(hex);
  const result = typedErrorOr(() => {
    readAll(bytes);
    return [...frameBatches(bytes)].map((batch) => hex(batch.bytes));
  });
  if (result instanceof LogStoreError) return;
  for (const batch of result) expect(whole).toContain(batch);
  expect(result.join("")).toBe(hex(bytes));
}

/**
 * Decoding gives a typed error, or no more data than the batch declares, whether or not it was
 * verified first.
 */
function expectBounded(bytes: Uint8Array): void {
  typedErrorOr(() => {
    const batch = RecordBatch.parse(bytes);
    let total = 0;
    for (const { key, value, headers } of batch) {
      total += (key?.length ?? 0) + value.length;
      for (const header of headers) total += header.value.length;
    }
    expect(total).toBeLessThanOrEqual(batch.recordsLength);
  });
  typedErrorOr(() => readAll(bytes));
}

/** Any other exception is a failure. */
function typedErrorOr<T>(run: () => T): T | LogStoreError {
  try {
    return run();
  } catch (error) {
    if (error instanceof LogStoreError) return error;
    throw error;
  }
}

/**
 * Updates the checksums, and on request the batch length, so that damage reaches the checks after
 * them.
 */
function forge(bytes: Uint8Array, lengthToo: boolean): Uint8Array {
  if (bytes.length < HEADER) return bytes;
  const view = new DataView(bytes.buffer);
  if (lengthToo) {
    view.setUint32(4, bytes.length, true);
    if (bytes[70] === 0) view.setUint32(64, bytes.length - HEADER, true);
  }
  view.setUint32(36, crc32c(bytes, 40), true);
  view.setUint32(32, crc32c(bytes, 0, 32), true);
  return bytes;
}
