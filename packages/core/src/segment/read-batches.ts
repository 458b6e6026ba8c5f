/** A single positioned read of whole batches, on which every reader of a log file is built. */
import { type BatchLimits, declaredBatchLength, HEADER_LENGTH, MIN_BATCH_LENGTH } from "@logstore/codec";
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
  /** Length of the first batch, if it is known: a long one is then read once, not twice. */
  readonly firstLength?: number | undefined;
  readonly limits: BatchLimits;
}

export interface ReadBatches {
  readonly bytes: Uint8Array;
  /** Declared length of the batch after them; undefined if its header was not read. */
  readonly nextLength: number | undefined;
}

/**
 * Returns the whole batches at `position`, at least one. Declared lengths are used unchecked:
 * parsing the batches shows whether they are valid. If the first batch is incomplete, returns the
 * available bytes, for the parser to judge.
 *
 * @throws BatchTooLongToRead
 */
export async function readBatches(file: StorageFile, range: ReadRange): Promise<ReadBatches> {
  const { maxBytes, isStrict, limits } = range;
  const available = range.end - range.position;
  let first = Math.min(range.firstLength ?? MIN_BATCH_LENGTH, limits.maxBatchBytes, available);
  for (;;) {
    if (isStrict && first > maxBytes) throw new BatchTooLongToRead(first);
    // With the header after a long batch, the length of the next one is known.
    const length = Math.max(maxBytes, isStrict ? MIN_BATCH_LENGTH : first + HEADER_LENGTH);
    const bytes = await readAt(file, range, Math.min(length, available));
    const read = wholeBatches(bytes);
    if (read.bytes.length > 0) return read;
    const needed = Math.min(read.nextLength ?? MIN_BATCH_LENGTH, limits.maxBatchBytes, available);
    if (needed <= Math.max(bytes.length, first)) return { bytes, nextLength: undefined };
    freeBuffer(bytes);
    first = needed;
  }
}

async function readAt(file: StorageFile, { headroomBytes, position }: ReadRange, length: number): Promise<Uint8Array> {
  const buffer = bufferFor(length, headroomBytes);
  return buffer.subarray(0, await file.read(buffer, position));
}

function wholeBatches(bytes: Uint8Array): ReadBatches {
  let end = 0;
  for (;;) {
    const nextLength = declaredBatchLength(bytes, end);
    const isWhole = nextLength !== undefined && nextLength >= MIN_BATCH_LENGTH && end + nextLength <= bytes.length;
    if (!isWhole) return { bytes: bytes.subarray(0, end), nextLength };
    end += nextLength;
  }
}
