import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HEADER_LENGTH, RecordBatch, validateBatches } from "../src/index.js";
import { compression, records, runs, sealAll } from "./arbitraries.js";
import { plainInput, plainRecord, readAll } from "./plain-record.js";

describe.each(["none", "gzip", "zstd"])("%s", (name) => {
  test("the records read equal the records written", () => {
    fc.assert(
      fc.property(records, (input) => {
        const [sealed] = sealAll(input, { compression: name });
        expect(readAll(sealed!)).toEqual(input.map(plainInput));
      }),
      runs,
    );
  });
});

test("records that fill several batches are read in order, and a partition accepts them", () => {
  fc.assert(
    fc.property(records, compression, fc.integer({ min: 75, max: 2000 }), (input, name, targetBytes) => {
      const bytes = Uint8Array.from(Buffer.concat(sealAll(input, { compression: name, targetBytes })));
      expect(readAll(bytes)).toEqual(input.map(plainInput));
      expect(validateBatches(bytes).flatMap((batch) => [...batch].map(plainRecord))).toEqual(input.map(plainInput));
    }),
    runs,
  );
});

test("an uncompressed batch has the length that its builder reported", () => {
  fc.assert(
    fc.property(records, (input) => {
      const [sealed] = sealAll(input, {});
      const batch = RecordBatch.parse(sealed!);
      expect(batch.recordsLength).toBe(sealed!.length - HEADER_LENGTH);
      expect(batch.recordCount).toBe(input.length);
    }),
    runs,
  );
});

test("a record without headers has an overhead of at most 10 bytes within the bounds of the format page", () => {
  const years69 = 69 * 365 * 86_400_000;
  const short = fc.record({
    key: fc.uint8Array({ maxLength: 126 }),
    value: fc.integer({ min: 0, max: 512 * 1024 - 200 }).map((length) => new Uint8Array(length)),
    timestamp: fc.integer({ min: -years69, max: years69 }),
  });
  fc.assert(
    fc.property(short, (record) => {
      const first = { key: null, value: "", timestamp: 0 };
      const [sealed] = sealAll([first, record], {});
      expect(sealed!.length - HEADER_LENGTH - 3 - record.key.length - record.value.length).toBeLessThanOrEqual(10);
    }),
    { numRuns: Math.ceil(runs.numRuns / 5) },
  );
});
