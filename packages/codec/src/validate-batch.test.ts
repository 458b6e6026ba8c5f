import { expect, test } from "vitest";
import { RecordBatch, RecordBatchBuilder, type ServerHalf, validateBatches, writeServerHalf } from "./index.js";

function seal(half?: Partial<ServerHalf>): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append("key", "value", 0, [{ name: "h", value: "v" }]);
  const bytes = builder.seal();
  if (half) writeServerHalf(bytes, { baseOffset: 0, appendTime: 0, flushedUpTo: 0, ...half });
  return bytes;
}

test("sealed batches are accepted, one or several", () => {
  expect(validateBatches(seal())).toHaveLength(1);
  expect(validateBatches(Uint8Array.from([...seal(), ...seal()]))).toHaveLength(2);
});

test.each([{ baseOffset: 1 }, { appendTime: 1 }, { flushedUpTo: 1 }])(
  "a server half filled in is refused: %j",
  (half) => {
    const bytes = Uint8Array.from([...seal(), ...seal(half)]);
    expect(() => validateBatches(bytes)).toThrow(expect.objectContaining({ code: "CORRUPT_BATCH" }));
  },
);

test("nothing to append is the caller's mistake", () => {
  expect(() => validateBatches(new Uint8Array())).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});

test("damage in the last batch is found", () => {
  const bytes = Uint8Array.from([...seal(), ...seal()]);
  bytes[bytes.length - 1]! ^= 0x20;
  expect(() => validateBatches(bytes)).toThrow(expect.objectContaining({ code: "CORRUPT_BATCH" }));
});

test("the given caps hold", () => {
  const limits = { maxBatchBytes: 80, maxRecordsBytes: 1000 };
  expect(() => validateBatches(seal(), limits)).toThrow(
    expect.objectContaining({ code: "BATCH_TOO_LARGE", expected: 80 }),
  );
});

test("the cap on records holds for all batches of an append together", () => {
  const one = seal();
  const { recordsLength } = RecordBatch.parse(one);
  const limits = { maxBatchBytes: 1000, maxRecordsBytes: recordsLength * 2 };
  expect(validateBatches(Buffer.concat([one, one]), limits)).toHaveLength(2);
  expect(() => validateBatches(Buffer.concat([one, one, one]), limits)).toThrow(
    expect.objectContaining({ code: "BATCH_TOO_LARGE", expected: recordsLength * 2, actual: recordsLength * 3 }),
  );
});
