/** Record batches with arbitrary contents and valid checksums. */
import { crc32c, HEADER_LENGTH, RecordBatchBuilder } from "@logstore/codec";

export interface RawBatch {
  readonly records: Uint8Array;
  readonly recordCount: number;
  /** The records length that the batch declares. */
  readonly recordsLength: number;
  readonly compression: number;
}

const CRC_OF_SERVER_HALF = 32;
const CRC_OF_PRODUCER_HALF = 36;
const PRODUCER_HALF = 40;

export function rawBatch({ records, recordCount, recordsLength, compression }: RawBatch): Buffer {
  const batch = Buffer.concat([smallBatch().subarray(0, HEADER_LENGTH), records]);
  batch.writeUInt32LE(batch.length, 4);
  batch.writeUInt32LE(recordCount, 60);
  batch.writeUInt32LE(recordsLength, 64);
  batch[70] = compression;
  return withChecksums(batch);
}

/** Returns the same buffer with checksums that match its contents. */
export function withChecksums(batch: Buffer): Buffer {
  if (batch.length >= HEADER_LENGTH) {
    batch.writeUInt32LE(crc32c(batch.subarray(0, CRC_OF_SERVER_HALF)), CRC_OF_SERVER_HALF);
    batch.writeUInt32LE(crc32c(batch.subarray(PRODUCER_HALF)), CRC_OF_PRODUCER_HALF);
  }
  return batch;
}

export function smallBatch(): Buffer {
  const builder = new RecordBatchBuilder();
  builder.append("key", "value", 1_000, [{ name: "name", value: "content" }]);
  builder.append(null, "another", 2_000);
  return Buffer.from(builder.seal());
}
