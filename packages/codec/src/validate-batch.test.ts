import { expect, test } from "vitest";
import { RecordBatch, RecordBatchBuilder, type ServerHalf, validateBatches, writeServerHalf } from "./index.js";
import { MAX_HEADERS_PER_RECORD, MAX_RECORDS_PER_BATCH } from "./limits.js";

function seal(half?: Partial<ServerHalf>): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append("key", "value", 0, [{ name: "h", value: "v" }]);
  const bytes = builder.seal();
  if (half) writeServerHalf(bytes, { baseOffset: 0, appendTime: 0, flushedUpTo: 0, ...half });
  return bytes;
}

test("accepts one or several sealed batches", () => {
  expect(validateBatches(seal())).toHaveLength(1);
  expect(validateBatches(Uint8Array.from([...seal(), ...seal()]))).toHaveLength(2);
});

test.each([{ baseOffset: 1 }, { appendTime: -1 }, { flushedUpTo: 1 }])(
  "a server half filled in is refused: %j",
  (half) => {
    const bytes = Uint8Array.from([...seal(), ...seal(half)]);
    expect(() => validateBatches(bytes)).toThrow(expect.objectContaining({ code: "CORRUPT_BATCH" }));
  },
);

test("a copy keeps the append time of the original", () => {
  expect(validateBatches(seal({ appendTime: 5 }))).toMatchObject([{ appendTime: 5 }]);
});

test("an append without a batch is an InvalidArgumentError", () => {
  expect(() => validateBatches(new Uint8Array())).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});

test("damage in the last batch is found", () => {
  const bytes = Uint8Array.from([...seal(), ...seal()]);
  bytes[bytes.length - 1]! ^= 0x20;
  expect(() => validateBatches(bytes)).toThrow(expect.objectContaining({ code: "CORRUPT_BATCH" }));
});

test("the given limits apply", () => {
  const limits = { maxBatchBytes: 80, maxRecordsBytes: 1000 };
  expect(() => validateBatches(seal(), limits)).toThrow(
    expect.objectContaining({ code: "BATCH_TOO_LARGE", expected: 80 }),
  );
});

test("the limit on records applies to the total of all batches", () => {
  const one = seal();
  const { recordsLength } = RecordBatch.parse(one);
  const limits = { maxBatchBytes: 1000, maxRecordsBytes: recordsLength * 2 };
  expect(validateBatches(Buffer.concat([one, one]), limits)).toHaveLength(2);
  expect(() => validateBatches(Buffer.concat([one, one, one]), limits)).toThrow(
    expect.objectContaining({ code: "BATCH_TOO_LARGE", expected: recordsLength * 2, actual: recordsLength * 3 }),
  );
});

test("the largest number of records and of headers is accepted, one more is not", () => {
  const full = new RecordBatchBuilder({ targetBytes: 16 * 1024 * 1024 });
  for (let i = 0; i < MAX_RECORDS_PER_BATCH; i++) full.append(null, "", 0);
  expect(full.append(null, "", 0)).toBe(false); // the batch is full, as with too many bytes
  expect(validateBatches(full.seal())).toHaveLength(1);
  const headers = (count: number) => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "", 0, Array(count).fill({ name: "", value: "" }));
    return builder.seal();
  };
  expect(validateBatches(headers(MAX_HEADERS_PER_RECORD))).toHaveLength(1);
  const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });
  expect(() => validateBatches(headers(MAX_HEADERS_PER_RECORD + 1))).toThrow(refused);
});

test.for(["none", "gzip", "zstd"])(
  "records in %s that are checked in slices are found as sound, or as damaged, as at once",
  async (compression) => {
    const builder = new RecordBatchBuilder({ compression, targetBytes: 16 * 1024 * 1024 });
    for (let i = 0; i < 300_000; i++)
      builder.append(null, `value ${i}`, i, i % 7 === 0 ? [{ name: "h", value: "v" }] : []);
    const batch = RecordBatch.parse(builder.seal());
    let pauses = 0;
    await batch.checkRecordsLater(async () => void pauses++);
    expect(pauses).toBeGreaterThan(1);
    const damaged = Uint8Array.from(batch.bytes);
    damaged[damaged.length >> 1]! ^= 0xff;
    const parsed = RecordBatch.parse(damaged);
    const corrupt = expect.objectContaining({ code: "CORRUPT_BATCH" });
    const atOnce = (() => {
      try {
        parsed.checkRecords();
      } catch (error) {
        return error;
      }
      return undefined;
    })();
    if (atOnce === undefined) await parsed.checkRecordsLater(async () => {});
    else await expect(parsed.checkRecordsLater(async () => {})).rejects.toEqual(corrupt);
  },
);

test("a checksum computed in slices gives the same verdict as one computed at once", async () => {
  const builder = new RecordBatchBuilder({ targetBytes: 8 * 1024 * 1024 });
  builder.append(null, new Uint8Array(5 * 1024 * 1024).fill(7), 0);
  const batch = RecordBatch.parse(builder.seal());
  let pauses = 0;
  const pause = async () => void pauses++;
  expect(await batch.verifyLater(pause)).toBe(batch);
  expect(pauses).toBe(5);
  for (const byte of [40, batch.byteLength >> 1, batch.byteLength - 1]) {
    const damaged = RecordBatch.parse(Uint8Array.from(batch.bytes));
    damaged.bytes[byte]! ^= 1;
    await expect(damaged.verifyLater(pause)).rejects.toMatchObject({ code: "CORRUPT_BATCH" });
  }
});
