import { expect, test } from "vitest";
import { inPieces } from "./in-pieces.js";

const entries = (count: number, metadata = "") =>
  Array.from({ length: count }, (_, partition) => ({ topic: "t", partition, metadata }));

test("what one request names stays below a server's limit, in the order that was given", () => {
  const many = entries(30_000);
  const pieces = inPieces(many);
  expect(pieces.flat()).toEqual(many);
  expect(Math.max(...pieces.map(({ length }) => length))).toBe(2000);
  expect(inPieces(entries(300, "m".repeat(4096))).map(({ length }) => length)).toContain(16);
});

test("one request is made of nothing, and of what is long by itself", () => {
  expect(inPieces([])).toEqual([[]]);
  expect(inPieces(entries(1, "m".repeat(100_000)))).toHaveLength(1);
});
