import { expect, test } from "vitest";
import { expiredSegments, type RetentionLimits, type SegmentAge } from "./retention-policy.js";

/** Four segments of 10 bytes, whose newest records were appended at 1000, 2000, 3000 and 4000. */
const segments: SegmentAge[] = [1000, 2000, 3000, 4000].map((newestTime) => ({ sizeBytes: 10, newestTime }));

function expired(limits: Partial<RetentionLimits>, nowMs = 4000, of = segments): number {
  return expiredSegments(of, { retentionMs: undefined, retentionBytes: undefined, ...limits }, nowMs);
}

test("nothing is deleted without limits", () => {
  expect(expired({}, Number.MAX_SAFE_INTEGER)).toBe(0);
});

test.each([
  [4000, 0],
  [3000, 0], // a segment of exactly this age is kept
  [2999, 1],
  [1000, 2],
  [0, 3],
])("older than %d ms: %d segments", (retentionMs, count) => {
  expect(expired({ retentionMs })).toBe(count);
});

test.each([
  [41, 0],
  [40, 0],
  [31, 0],
  [30, 1], // the remaining segments have exactly this size
  [21, 1],
  [20, 2],
  [1, 3],
  [0, 4],
])("to keep %d bytes, %d segments are deleted", (retentionBytes, count) => {
  expect(expired({ retentionBytes })).toBe(count);
});

test("either limit is sufficient, and the deleted segments are the oldest", () => {
  expect(expired({ retentionMs: 2999, retentionBytes: 20 })).toBe(2);
  expect(expired({ retentionMs: 1999, retentionBytes: 30 })).toBe(2);
  const uneven = [5000, 1000].map((newestTime) => ({ sizeBytes: 10, newestTime }));
  expect(expired({ retentionMs: 0 }, 4000, uneven)).toBe(0);
});
