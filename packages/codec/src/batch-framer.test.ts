import { expect, test } from "vitest";
import { declaredBatchLength, declaredCounts, frameBatches, HEADER_LENGTH, RecordBatchBuilder } from "./index.js";

function seal(value: string): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, value, 0);
  return builder.seal();
}

const first = seal("first");
const second = seal("the second");
const both = Uint8Array.from([...first, ...second]);

test("frames each batch in order", () => {
  expect([...frameBatches(both)].map((batch) => batch.byteLength)).toEqual([first.length, second.length]);
});

test("an empty buffer has no batches", () => {
  expect([...frameBatches(new Uint8Array())]).toEqual([]);
});

test("yields the batches before a torn one, then throws an error with the torn batch's position", () => {
  const seen: number[] = [];
  const walk = () => {
    for (const batch of frameBatches(both.subarray(0, -HEADER_LENGTH))) seen.push(batch.byteLength);
  };
  expect(walk).toThrow(expect.objectContaining({ code: "TRUNCATED_BATCH", byte: first.length }));
  expect(seen).toEqual([first.length]);
});

test("the declared length is known once the header is complete", () => {
  expect(declaredBatchLength(both, 0)).toBe(first.length);
  expect(declaredBatchLength(both, first.length)).toBe(second.length);
  expect(declaredBatchLength(first.subarray(0, HEADER_LENGTH), 0)).toBe(first.length);
  expect(declaredBatchLength(first.subarray(0, HEADER_LENGTH - 1), 0)).toBeUndefined();
});

test("declared counts can be read from any bytes", () => {
  const builder = new RecordBatchBuilder();
  for (const value of ["a", "b"]) builder.append(null, value, 0);
  expect(declaredCounts(Uint8Array.from([...both, ...builder.seal()]))).toMatchObject({ batches: 3, records: 4 });
  expect(declaredCounts(both.subarray(0, -HEADER_LENGTH))).toMatchObject({ batches: 1, records: 1 });
  expect(declaredCounts(new Uint8Array(HEADER_LENGTH)).batches).toBe(1); // the walk ends despite a length of 0
});
