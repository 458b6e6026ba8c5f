/** Splits a buffer of consecutive batches, from a file or a message, into its batches. */
import { readI64, readU32 } from "./integers.js";
import {
  BASE_OFFSET_OFFSET,
  BATCH_LENGTH_OFFSET,
  HEADER_LENGTH,
  MIN_BATCH_LENGTH,
  RECORD_COUNT_OFFSET,
  RECORDS_LENGTH_OFFSET,
} from "./layout.js";
import { type BatchLimits, defaultBatchLimits } from "./limits.js";
import { RecordBatch } from "./record-batch.js";

/**
 * Iterates over the batches of a buffer that contains only whole batches. Checks each header, but
 * not the records.
 *
 * @throws the errors of {@link RecordBatch.parse}, when the iteration reaches the faulty batch
 */
export function* frameBatches(
  bytes: Uint8Array,
  limits: BatchLimits = defaultBatchLimits,
): Generator<RecordBatch, void> {
  for (let at = 0; at < bytes.length; ) {
    const batch = RecordBatch.parse(bytes, at, limits);
    yield batch;
    at += batch.byteLength;
  }
}

/**
 * Returns the batch length that the header at `bytes[at]` declares, without checking it; undefined
 * if the buffer ends within the header.
 */
export function declaredBatchLength(bytes: Uint8Array, at: number): number | undefined {
  return bytes.length - at < HEADER_LENGTH ? undefined : readU32(bytes, at + BATCH_LENGTH_OFFSET);
}

/**
 * Returns the offset range that the headers of a buffer of whole batches declare, without checking
 * it, and the first position at which a batch does not continue where the previous one ends.
 */
export function declaredOffsets(bytes: Uint8Array): {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly gap?: { readonly expected: number; readonly actual: number };
} {
  let baseOffset: number | undefined;
  let nextOffset = 0;
  for (
    let at = 0;
    bytes.length - at >= HEADER_LENGTH;
    at += Math.max(readU32(bytes, at + BATCH_LENGTH_OFFSET), MIN_BATCH_LENGTH)
  ) {
    const base = readI64(bytes, at + BASE_OFFSET_OFFSET);
    if (baseOffset === undefined) baseOffset = base;
    else if (base !== nextOffset) return { baseOffset, nextOffset, gap: { expected: nextOffset, actual: base } };
    nextOffset = base + readU32(bytes, at + RECORD_COUNT_OFFSET);
  }
  return { baseOffset: baseOffset ?? 0, nextOffset };
}

/**
 * Sums up the declared record counts and sizes of a buffer of whole batches, without checking them.
 * For counters and quotas.
 */
export function declaredCounts(bytes: Uint8Array): {
  readonly batches: number;
  readonly records: number;
  /** Size of the records before compression, in bytes. */
  readonly recordsBytes: number;
} {
  let batches = 0;
  let records = 0;
  let recordsBytes = 0;
  for (
    let at = 0;
    bytes.length - at >= HEADER_LENGTH;
    at += Math.max(readU32(bytes, at + BATCH_LENGTH_OFFSET), MIN_BATCH_LENGTH)
  ) {
    batches++;
    records += readU32(bytes, at + RECORD_COUNT_OFFSET);
    recordsBytes += readU32(bytes, at + RECORDS_LENGTH_OFFSET);
  }
  return { batches, records, recordsBytes };
}
