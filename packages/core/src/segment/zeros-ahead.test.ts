import { expect, test } from "vitest";
import { ZEROS, zerosAhead } from "./zeros-ahead.js";

const KIB = 1024;

test.each([
  ["as many as there is log already", 3000, 100, 1024 * KIB, 3000],
  ["64 KiB at most", 500 * KIB, 100, 1024 * KIB, 64 * KIB],
  ["none beyond the segment's end", 1000 * KIB, 100, 1001 * KIB, KIB],
  ["none where the segment is full", 1000, 100, 1000, 0],
  ["none where one batch is longer than a segment", 1000, 1000, 500, 0],
  ["behind 16 KiB", 100 * KIB, 16 * KIB, 1024 * KIB, 64 * KIB],
  ["none behind more", 100 * KIB, 16 * KIB + 1, 1024 * KIB, 0],
])("%s", (_, sizeBytes, groupBytes, segmentBytes, zeros) => {
  expect(zerosAhead({ sizeBytes, groupBytes, segmentBytes })).toBe(zeros);
});

test("the buffer contains only zeros, as many as are ever needed", () => {
  expect(ZEROS).toEqual(new Uint8Array(64 * KIB));
});
