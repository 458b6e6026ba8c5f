/** The checks that a batch must pass before a partition accepts it. */
import { frameBatches } from "./batch-framer.js";
import { BatchTooLargeError, CorruptBatchError, InvalidArgumentError } from "./errors.js";
import { BASE_OFFSET_OFFSET } from "./layout.js";
import { type BatchLimits, defaultBatchLimits, MAX_RECORDS_PER_BATCH } from "./limits.js";
import type { RecordBatch } from "./record-batch.js";

/**
 * Parses the batches in `bytes` and checks each completely, down to the last record, so that no
 * consumer can fail to decode an accepted batch.
 *
 * @throws the errors of {@link RecordBatch.parse}, `verify` and `checkRecords`; BatchTooLargeError;
 * InvalidArgumentError if there is no batch at all
 */
export function validateBatches(bytes: Uint8Array, limits: BatchLimits = defaultBatchLimits): RecordBatch[] {
  const batches = batchesToAppend(bytes, limits);
  for (const batch of batches) batch.verify().checkRecords();
  return batches;
}

/**
 * Parses the batches in `bytes` and checks their headers and declared sizes, but not their records.
 *
 * @throws the errors of {@link validateBatches}, except those of the records
 */
export function batchesToAppend(bytes: Uint8Array, limits: BatchLimits = defaultBatchLimits): RecordBatch[] {
  const batches: RecordBatch[] = [];
  let recordsLength = 0;
  for (const batch of frameBatches(bytes, limits)) {
    recordsLength += batch.recordsLength;
    // The limit applies to the total: many small batches could otherwise unpack to any size.
    if (recordsLength > limits.maxRecordsBytes) {
      throw new BatchTooLargeError(
        `batches declare ${recordsLength} bytes of records, and ${limits.maxRecordsBytes} are allowed at once`,
        { expected: limits.maxRecordsBytes, actual: recordsLength },
      );
    }
    if (batch.recordCount > MAX_RECORDS_PER_BATCH) {
      throw new BatchTooLargeError(
        `a batch declares ${batch.recordCount} records, and ${MAX_RECORDS_PER_BATCH} are allowed: make several batches`,
        { expected: MAX_RECORDS_PER_BATCH, actual: batch.recordCount },
      );
    }
    // A copy has the append time of the original.
    if (batch.baseOffset !== 0 || batch.appendTime < 0 || batch.flushedUpTo !== 0) {
      throw new CorruptBatchError(
        "a batch to append has its server half filled in: seal it with zeros there, except perhaps the append time",
        { byte: BASE_OFFSET_OFFSET },
      );
    }
    batches.push(batch);
  }
  if (batches.length === 0) throw new InvalidArgumentError("there is no record batch to append");
  return batches;
}
