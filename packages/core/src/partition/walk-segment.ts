/** Reads a segment through, past whatever is damaged in it: for those who look for damage. */
import { type BatchLimits, LogStoreError, type RecordBatch } from "@logstore/codec";
import { scanSegment } from "../segment/scan-segment.js";
import type { StorageFile } from "../storage/storage.js";
import { soundHeaders } from "./durable-offset.js";

export interface WalkRange {
  readonly end: number;
  /** Base offset that the first batch must have. */
  readonly baseOffset: number;
  readonly limits: BatchLimits;
}

/** A sound batch, or a damaged place and where the next sound batch begins. */
export type Step =
  | { readonly batch: RecordBatch; readonly position: number }
  | { readonly damage: LogStoreError; readonly position: number; readonly nextPosition: number };

export async function* walkSegment(file: StorageFile, range: WalkRange): AsyncGenerator<Step, void> {
  const { end, limits } = range;
  let position = 0;
  let nextOffset: number | undefined = range.baseOffset;
  let leastOffset = range.baseOffset;
  while (position < end) {
    try {
      for await (const step of scanSegment(file, { position, end, nextOffset, limits, verify: true })) {
        yield step;
        position = step.position + step.batch.byteLength;
        leastOffset = step.batch.nextOffset;
      }
    } catch (damage) {
      if (!(damage instanceof LogStoreError)) throw damage;
      const nextPosition = await nextSoundBatch(file, position, leastOffset, range);
      yield { damage, position, nextPosition };
      position = nextPosition;
      nextOffset = undefined;
    }
  }
}

/** Where the next batch begins whose checksums are right; the end, where none does. */
async function nextSoundBatch(
  file: StorageFile,
  damagedAt: number,
  leastOffset: number,
  { end, limits }: WalkRange,
): Promise<number> {
  for await (const { baseOffset, position } of soundHeaders(file, damagedAt, end)) {
    if (position === damagedAt || baseOffset < leastOffset) continue;
    try {
      const range = { position, end, nextOffset: undefined, limits, verify: true, chunkBytes: 1 };
      for await (const _ of scanSegment(file, range)) return position;
    } catch (error) {
      if (!(error instanceof LogStoreError)) throw error;
    }
  }
  return end;
}
