/** Reads a segment through, past whatever is damaged in it: for those who look for damage. */
import { type BatchLimits, declaredBatchLength, HEADER_LENGTH, LogStoreError, type RecordBatch } from "@logstore/codec";
import { scanSegment } from "../../segment/scan-segment.js";
import type { StorageFile } from "../../storage/storage.js";
import { isZeros, type SoundHeader, soundHeaders } from "../recovery/witness.js";

export interface WalkRange {
  readonly end: number;
  /** Base offset that the first batch must have. */
  readonly baseOffset: number;
  /** No record here has this offset or a later one: the next segment begins there. */
  readonly limitOffset: number;
  readonly limits: BatchLimits;
  /** Whether zeros at the end were written ahead, and are no damage. */
  readonly mayEndInZeros: boolean;
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
      if (!(damage instanceof LogStoreError) || damage.code === "CLOSED") throw damage;
      if (range.mayEndInZeros && (await isZeros(file, position, end))) return;
      const nextPosition = await nextSoundBatch(file, position, leastOffset, range);
      yield { damage, position, nextPosition };
      position = nextPosition;
      nextOffset = undefined;
    }
  }
}

/** Where the next batch of this log begins whose checksums are right; the end, where none does. */
async function nextSoundBatch(
  file: StorageFile,
  damagedAt: number,
  leastOffset: number,
  { end, limits, limitOffset }: WalkRange,
): Promise<number> {
  const isSound = async (position: number): Promise<boolean> => {
    try {
      const range = { position, end, nextOffset: undefined, limits, verify: true, chunkBytes: 1 };
      for await (const { batch } of scanSegment(file, range)) return batch.baseOffset >= leastOffset;
    } catch (error) {
      if (!(error instanceof LogStoreError) || error.code === "CLOSED") throw error;
    }
    return false;
  };
  if (await isSound(damagedAt)) return damagedAt; // what came before it is missing
  // Most damage leaves the length alone; what lies within the batch is not to be taken for the
  // log's.
  const behind = damagedAt + (await lengthAt(file, damagedAt));
  if (behind === end || (await isSound(behind))) return behind;
  const found: SoundHeader[] = [];
  for await (const header of soundHeaders(file, damagedAt, end)) {
    if (header.baseOffset >= leastOffset) found.push(header);
  }
  for (const { position } of ofThisLog(found, limitOffset)) if (await isSound(position)) return position;
  return end;
}

/** What the header there says, sound or not; 1 where there is none. */
async function lengthAt(file: StorageFile, position: number): Promise<number> {
  const header = Buffer.alloc(HEADER_LENGTH);
  const read = await file.read(header, position);
  return Math.max(1, declaredBatchLength(header.subarray(0, read), 0) ?? 1);
}

/**
 * Leaves out what only looks like a batch of this log: one that somebody keeps as a value, in a
 * batch whose own header is damaged. Seen from the end, offsets fall; where two cannot both be
 * right, the one with more sound headers behind it is.
 */
function ofThisLog(headers: readonly SoundHeader[], limitOffset: number): SoundHeader[] {
  // The longest row of headers whose offsets rise: length of the best one that begins at each, and
  // what follows in it.
  const lengths: number[] = new Array(headers.length).fill(1);
  const following: (number | undefined)[] = new Array(headers.length).fill(undefined);
  let best: number | undefined;
  for (let i = headers.length - 1; i >= 0; i--) {
    if (headers[i]!.baseOffset >= limitOffset) continue;
    // Nearly always the very next one follows: the first that does is taken, and others only while
    // it is not found.
    for (let j = i + 1; j < headers.length; j++) {
      if (headers[j]!.baseOffset >= limitOffset || !follows(headers[i]!, headers[j]!)) continue;
      if (lengths[j]! + 1 > lengths[i]!) {
        lengths[i] = lengths[j]! + 1;
        following[i] = j;
      }
      if (headers[j]!.baseOffset === endOf(headers[i]!)) break;
    }
    if (best === undefined || lengths[i]! >= lengths[best]!) best = i;
  }
  const row: SoundHeader[] = [];
  for (let i = best; i !== undefined; i = following[i]) row.push(headers[i]!);
  return row;
}

function follows(header: SoundHeader, next: SoundHeader): boolean {
  return next.baseOffset >= endOf(header);
}

function endOf({ baseOffset, declaredRecordCount }: SoundHeader): number {
  return baseOffset + Math.max(1, declaredRecordCount);
}
