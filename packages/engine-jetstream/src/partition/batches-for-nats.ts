/** The batches of an append, each of which must fit into a message. */
import { BatchTooLargeError, batchesToAppend, type RecordBatch } from "@logstore/codec";

/**
 * Parses the batches, and checks their headers.
 *
 * @param maxBatchBytes of the topic, of `maxBodyBytes` at most
 * @throws the errors of {@link batchesToAppend}
 */
export function batchesForNats(bytes: Uint8Array, maxBatchBytes: number, maxBodyBytes: number): RecordBatch[] {
  try {
    return batchesToAppend(bytes, { maxBatchBytes, maxRecordsBytes: Math.max(maxBatchBytes, 2 ** 26) });
  } catch (error) {
    if (!(error instanceof BatchTooLargeError) || error.expected !== maxBodyBytes) throw error;
    throw new BatchTooLargeError(
      `a batch of ${error.actual} bytes does not fit into a NATS message, which takes ${maxBodyBytes}: ` +
        "make smaller batches, or raise max_payload of the NATS servers",
      { expected: maxBodyBytes, actual: error.actual },
    );
  }
}
