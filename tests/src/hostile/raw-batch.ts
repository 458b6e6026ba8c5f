/** Record batches that say what one likes, with checksums that are right. */
import { crc32c, HEADER_LENGTH, RecordBatchBuilder } from "@logstore/codec";

export interface RawBatch {
  readonly records: Uint8Array;
  readonly recordCount: number;
  /** What the batch says that its records come to. */
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

/** The same buffer: whatever was done to it, its checksums agree with it. */
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
