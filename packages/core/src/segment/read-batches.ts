/** One positioned read of whole batches: what every reader of a log file is made of. */
import { type BatchLimits, declaredBatchLength, MIN_BATCH_LENGTH } from "@logstore/codec";
import { BatchTooLongToRead } from "../engine/partition-log.js";
import { bufferFor, freeBuffer } from "../engine/read/buffers.js";
import type { StorageFile } from "../storage/storage.js";

export interface ReadRange {
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  readonly position: number;
  /** Where the log ends for this reader: nothing from there on is looked at. */
  readonly end: number;
  /** How much to read at most, unless the first batch alone is longer. */
  readonly maxBytes: number;
  /** Whether such a batch is not read but thrown as {@link BatchTooLongToRead}. Default false. */
  readonly isStrict?: boolean | undefined;
  readonly limits: BatchLimits;
}

/**
 * The whole batches at `position`, at least one. Lengths are taken as they stand: whoever parses
 * the batches sees whether they are sound. Where the first is not whole, all there is of it comes
 * back, for the parser to judge.
 *
 * @throws BatchTooLongToRead
 */
export async function readBatches(file: StorageFile, range: ReadRange): Promise<Uint8Array> {
  const available = range.end - range.position;
  const bytes = await readAt(file, range, Math.min(Math.max(range.maxBytes, MIN_BATCH_LENGTH), available));
  const whole = wholeBatchesLength(bytes);
  if (whole > 0) return bytes.subarray(0, whole);
  const wanted = Math.min(declaredBatchLength(bytes, 0) ?? MIN_BATCH_LENGTH, range.limits.maxBatchBytes, available);
  if (wanted <= bytes.length) return bytes;
  freeBuffer(bytes);
  if (range.isStrict) throw new BatchTooLongToRead(wanted);
  return readAt(file, range, wanted);
}

async function readAt(file: StorageFile, { headroomBytes, position }: ReadRange, length: number): Promise<Uint8Array> {
  const buffer = bufferFor(length, headroomBytes);
  return buffer.subarray(0, await file.read(buffer, position));
}

function wholeBatchesLength(bytes: Uint8Array): number {
  let end = 0;
  for (;;) {
    const length = declaredBatchLength(bytes, end);
    if (length === undefined || length < MIN_BATCH_LENGTH || end + length > bytes.length) return end;
    end += length;
  }
}
