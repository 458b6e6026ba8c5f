/** A single positioned read of whole batches, on which every reader of a log file is built. */
import { type BatchLimits, declaredBatchLength, MIN_BATCH_LENGTH } from "@logstore/codec";
import { BatchTooLongToRead } from "../engine/partition-log.js";
import { bufferFor, freeBuffer } from "../engine/read/buffers.js";
import type { StorageFile } from "../storage/storage.js";

export interface ReadRange {
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  readonly position: number;
  /** The end of the log for this reader: nothing at or after it is read. */
  readonly end: number;
  /** Largest size to read, unless the first batch alone is larger. */
  readonly maxBytes: number;
  /**
   * Whether a larger first batch is refused with {@link BatchTooLongToRead} instead of being read.
   * Default false.
   */
  readonly isStrict?: boolean | undefined;
  readonly limits: BatchLimits;
}

/**
 * Returns the whole batches at `position`, at least one. Declared lengths are used unchecked:
 * parsing the batches shows whether they are valid. If the first batch is incomplete, returns the
 * available bytes, for the parser to judge.
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
