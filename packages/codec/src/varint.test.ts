import { describe, expect, test } from "vitest";
import { RecordBatch, RecordBatchBuilder } from "./index.js";
import { unzigzag, varintLength, writeVarint, zigzag } from "./varint.js";

/** The largest value of each length and the next one, up to the largest safe integer. */
const boundaries = [1, 2, 3, 4, 5, 6, 7].flatMap((length) => [2 ** (7 * length) - 1, 2 ** (7 * length)]);
const values = [0, 1, ...boundaries, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER];

describe.each(values)("varint of %d", (value) => {
  test("is LEB128", () => {
    const bytes = new Uint8Array(12).fill(0xee);
    const end = writeVarint(bytes, 2, value);
    const expected = leb128(BigInt(value));
    expect([...bytes.subarray(2, end)]).toEqual(expected);
    expect(varintLength(value)).toBe(expected.length);
    expect(bytes[end]).toBe(0xee);
  });
});

test("zigzag alternates between the signs", () => {
  expect([0, -1, 1, -2, 2].map(zigzag)).toEqual([0, 1, 2, 3, 4]);
});

test("unzigzag undoes zigzag", () => {
  for (const mark of values) expect(zigzag(unzigzag(mark))).toBe(mark);
});

test.each(values.filter((mark) => Math.abs(unzigzag(mark)) < 2 ** 52))(
  "a timestamp delta of zigzag %d is read back",
  (mark) => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "base", 0);
    builder.append(null, "delta", unzigzag(mark));
    const [, record] = RecordBatch.parse(builder.seal()).verify();
    expect(record?.timestamp).toBe(unzigzag(mark));
  },
);

function leb128(value: bigint): number[] {
  return value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...leb128(value >> 7n)];
}
