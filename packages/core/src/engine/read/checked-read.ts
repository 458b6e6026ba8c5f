/**
 * Verifies that the batches of a reader are consecutive, unless a repair left a gap. It takes the
 * offsets from the bytes themselves, not from what the reader reports about them.
 */
import { declaredOffsets, OffsetGapError } from "@logstore/codec";
import type { OffsetGap } from "@logstore/protocol";
import type { Chunk, PartitionLog } from "../partition-log.js";

type ReadLog = Pick<PartitionLog, "partition" | "gaps">;

/**
 * Returns the gap that a read skipped before `chunk` or, without a chunk, before `reached`.
 *
 * @param expected offset of the next record to read
 * @throws OffsetGapError
 */
export function gapPassed(
  log: ReadLog,
  expected: number,
  chunk: Chunk | undefined,
  reached: number,
): OffsetGap | undefined {
  const next = chunk === undefined ? reached : checkedBaseOffset(log, chunk);
  if (next <= expected) return undefined;
  if (!isLost(log, expected, next)) throw gapError(log, expected, next);
  return { firstOffset: expected, nextOffset: next };
}

function checkedBaseOffset(log: ReadLog, { bytes, nextOffset }: Chunk): number {
  const found = declaredOffsets(bytes);
  if (found.gap !== undefined) throw gapError(log, found.gap.expected, found.gap.actual);
  if (found.nextOffset !== nextOffset) throw gapError(log, found.nextOffset, nextOffset);
  return found.baseOffset;
}

/** Whether a repair found all records from `offset` up to `end` to be lost. */
function isLost({ gaps }: ReadLog, offset: number, end: number): boolean {
  for (let at = offset; at < end; ) {
    const gap = gaps.find(([from, to]) => from <= at && at < to);
    if (gap === undefined) return false;
    at = gap[1];
  }
  return true;
}

function gapError({ partition }: ReadLog, expected: number, actual: number): OffsetGapError {
  return new OffsetGapError(
    `offset ${expected} of partition ${partition} was to be read, and the batch found begins at ${actual}: ` +
      "read again from there; if that fails too, verify the store",
    { partition, offset: expected, expected, actual },
  );
}
