/** Batches that follow one another in a buffer, as they lie in a file and in a message. */
import { readU32 } from "./integers.js";
import { BATCH_LENGTH_OFFSET, HEADER_LENGTH } from "./layout.js";
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

/** What the header at `bytes[at]` declares as the batch's length, unchecked; undefined where the header is not all there. */
export function declaredBatchLength(bytes: Uint8Array, at: number): number | undefined {
  return bytes.length - at < HEADER_LENGTH ? undefined : readU32(bytes, at + BATCH_LENGTH_OFFSET);
}
