/** Reads a whole segment, skipping damaged parts, to find damage. */
import { type BatchLimits, declaredBatchLength, HEADER_LENGTH, LogStoreError, type RecordBatch } from "@logstore/codec";
import { scanSegment } from "../../segment/scan-segment.js";
import type { StorageFile } from "../../storage/storage.js";
import { isZeros, type SoundHeader, soundHeaders } from "../recovery/witness.js";

export interface WalkRange {
  readonly end: number;
  /** Base offset that the first batch must have. */
  readonly baseOffset: number;
  /** No record of this segment has this offset or a higher one: the next segment begins there. */
  readonly limitOffset: number;
  readonly limits: BatchLimits;
  /** Whether zeros at the end are preallocated, and not damage. */
  readonly mayEndInZeros: boolean;
}

/** A valid batch, or a damaged part and the position of the next valid batch. */
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

/** Position of the next valid batch of this log; the end if there is none. */
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
  if (await isSound(damagedAt)) return damagedAt; // the batches before it are missing
  // Most damage leaves the length field intact; and the contents of the batch must not be taken for
  // batches of the log.
  const behind = damagedAt + (await lengthAt(file, damagedAt));
  if (behind === end || (await isSound(behind))) return behind;
  const found: SoundHeader[] = [];
  for await (const header of soundHeaders(file, damagedAt, end)) {
    if (header.baseOffset >= leastOffset) found.push(header);
  }
  for (const { position } of ofThisLog(found, limitOffset)) if (await isSound(position)) return position;
  return end;
}

/** The length that the header declares, valid or not; 1 if there is no header. */
async function lengthAt(file: StorageFile, position: number): Promise<number> {
  const header = Buffer.alloc(HEADER_LENGTH);
  const read = await file.read(header, position);
  return Math.max(1, declaredBatchLength(header.subarray(0, read), 0) ?? 1);
}

/**
 * Drops what only looks like a batch of this log: a batch that an application stored as a value, in
 * a batch whose own header is damaged. Seen from the end, offsets decrease; of two that contradict
 * each other, the one with more valid headers after it is right.
 */
function ofThisLog(headers: readonly SoundHeader[], limitOffset: number): SoundHeader[] {
  // The longest sequences of headers with increasing offsets: for each header the length of the
  // best one that begins with it, and its next element.
  const lengths: number[] = new Array(headers.length).fill(1);
  const following: (number | undefined)[] = new Array(headers.length).fill(undefined);
  let best: number | undefined;
  for (let i = headers.length - 1; i >= 0; i--) {
    if (headers[i]!.baseOffset >= limitOffset) continue;
    // Nearly always the directly following header continues the sequence: the first one that does
    // is used, and others only while none is found.
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
