/** Batches that follow one another in a buffer, as they lie in a file and in a message. */
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
 * Each batch of a buffer that holds whole batches and nothing else, headers checked.
 *
 * @throws what {@link RecordBatch.parse} throws, as soon as the walk gets there
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
 * What the header at `bytes[at]` declares as the batch's length, unchecked; undefined where the
 * header is not all there.
 */
export function declaredBatchLength(bytes: Uint8Array, at: number): number | undefined {
  return bytes.length - at < HEADER_LENGTH ? undefined : readU32(bytes, at + BATCH_LENGTH_OFFSET);
}

/**
 * The offsets that the headers in a buffer of whole batches declare, unchecked: where the records
 * begin and end, and the first place where a batch does not begin where the one before it ends.
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

/** What the headers in a buffer of whole batches declare, unchecked: for counters and quotas. */
export function declaredCounts(bytes: Uint8Array): {
  readonly batches: number;
  readonly records: number;
  /** Bytes of the records before compression. */
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
