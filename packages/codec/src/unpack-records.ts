/** Decompresses the records of a batch. */
import { compressor, NO_COMPRESSION } from "./compression.js";
import { CorruptBatchError } from "./errors.js";
import { COMPRESSION_OFFSET, HEADER_LENGTH } from "./layout.js";
import type { BatchLimits } from "./limits.js";
import { type ErrorFields, LogStoreError } from "./log-store-error.js";
import type { Unpacked } from "./platform/platform.js";
import { view } from "./view.js";

export interface PackedBatch {
  /** The whole batch. */
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  /** The declared length of the records before compression, in bytes. */
  readonly recordsLength: number;
}

/** @throws UnsupportedCompressionError, CorruptBatchError */
export function unpack(batch: PackedBatch, limits: BatchLimits): Uint8Array {
  const id = compressionIdOf(batch);
  const stored = view(batch.bytes, HEADER_LENGTH);
  if (id === NO_COMPRESSION) return stored;
  const length = unpackedLength(batch, limits);
  try {
    const records = compressor(id).decompress(stored, length);
    checkComplete(batch, records, length);
    return records;
  } catch (cause) {
    throw notUnpacked(batch, cause);
  }
}

/**
 * Like {@link unpack}, but on another thread where the run-time can.
 *
 * @throws UnsupportedCompressionError, CorruptBatchError
 */
export async function unpackLater(batch: PackedBatch, limits: BatchLimits): Promise<Unpacked> {
  const id = compressionIdOf(batch);
  const unpacker = id === NO_COMPRESSION ? undefined : compressor(id);
  if (unpacker?.decompressLater === undefined) return { bytes: unpack(batch, limits) };
  const length = unpackedLength(batch, limits);
  let unpacked: Unpacked | undefined;
  try {
    unpacked = await unpacker.decompressLater(view(batch.bytes, HEADER_LENGTH), length);
    checkComplete(batch, unpacked.bytes, length);
    return unpacked;
  } catch (cause) {
    unpacked?.release?.();
    throw notUnpacked(batch, cause);
  }
}

function compressionIdOf({ bytes }: PackedBatch): number {
  return bytes[COMPRESSION_OFFSET]!;
}

function unpackedLength({ recordsLength }: PackedBatch, { maxRecordsBytes }: BatchLimits): number {
  return Math.min(recordsLength, maxRecordsBytes);
}

function checkComplete({ baseOffset }: PackedBatch, records: Uint8Array, length: number): void {
  if (records.length === length) return;
  throw new CorruptBatchError(
    `the records at offset ${baseOffset} decompress to ${records.length} bytes, not ${length}`,
    { offset: baseOffset, byte: HEADER_LENGTH, expected: length, actual: records.length },
  );
}

function notUnpacked({ baseOffset }: PackedBatch, cause: unknown): LogStoreError {
  if (cause instanceof LogStoreError) return cause;
  const fields: ErrorFields = { offset: baseOffset, byte: HEADER_LENGTH };
  return new CorruptBatchError(`the records at offset ${baseOffset} do not decompress`, fields, { cause });
}
