/** Checks the fields of a batch's header against each other and against the limits. */
import { NO_COMPRESSION } from "./compression.js";
import { crc32c } from "./crc32c.js";
import {
  BatchTooLargeError,
  CorruptBatchError,
  ForeignFormatError,
  TruncatedBatchError,
  UnsupportedFormatVersionError,
} from "./errors.js";
import { readI64, readU32 } from "./integers.js";
import * as layout from "./layout.js";
import type { BatchLimits } from "./limits.js";

/**
 * Checks the fields up to the batch length, and the checksum that covers them. Returns the length.
 *
 * @throws TruncatedBatchError, ForeignFormatError, UnsupportedFormatVersionError,
 * BatchTooLargeError, CorruptBatchError
 */
export function checkServerHalf(bytes: Uint8Array, at: number, limits: BatchLimits): number {
  const available = bytes.length - at;
  if (available < layout.HEADER_LENGTH) {
    throw new TruncatedBatchError(`${available} bytes are left, and a batch header has ${layout.HEADER_LENGTH}`, {
      byte: at,
      expected: layout.HEADER_LENGTH,
      actual: available,
    });
  }
  if (layout.MAGIC.some((byte, i) => bytes[at + layout.MAGIC_OFFSET + i] !== byte)) {
    throw new ForeignFormatError(`byte ${at} does not start a record batch: these bytes are something else`, {
      byte: at,
    });
  }
  const version = bytes[at + layout.FORMAT_VERSION_OFFSET]!;
  if (version !== layout.FORMAT_VERSION) {
    throw new UnsupportedFormatVersionError(
      `record batch format version ${version} is not known here, only ${layout.FORMAT_VERSION}: use a release that knows it`,
      { byte: at + layout.FORMAT_VERSION_OFFSET, expected: layout.FORMAT_VERSION, actual: version },
    );
  }
  if (crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) !== readU32(bytes, at + layout.SERVER_CRC_OFFSET)) {
    throw new CorruptBatchError("a batch header does not match its checksum: it is damaged", {
      byte: at + layout.SERVER_CRC_OFFSET,
    });
  }
  const length = readU32(bytes, at + layout.BATCH_LENGTH_OFFSET);
  const byte = at + layout.BATCH_LENGTH_OFFSET;
  if (length < layout.MIN_BATCH_LENGTH) throw new CorruptBatchError(`no batch is ${length} bytes long`, { byte });
  if (length > limits.maxBatchBytes) {
    throw new BatchTooLargeError(
      `a batch of ${length} bytes, and ${limits.maxBatchBytes} are allowed: send smaller batches or raise maxBatchBytes`,
      { byte, expected: limits.maxBatchBytes, actual: length },
    );
  }
  if (length > available) {
    throw new TruncatedBatchError(`a batch of ${length} bytes ends after ${available}`, {
      byte,
      expected: length,
      actual: available,
    });
  }
  return length;
}

/**
 * Checks the offsets, the other 64-bit fields, and the number of records.
 *
 * @param batch the whole batch
 * @param at its position in the caller's buffer, for errors
 * @throws CorruptBatchError
 */
export function checkFields(batch: Uint8Array, at: number): void {
  const baseOffset = readI64(batch, layout.BASE_OFFSET_OFFSET);
  const recordCount = readU32(batch, layout.RECORD_COUNT_OFFSET);
  const recordsLength = readU32(batch, layout.RECORDS_LENGTH_OFFSET);
  const corrupt = (what: string, byte: number) => inconsistent(batch, at, what, byte);
  if (baseOffset < 0 || !Number.isSafeInteger(baseOffset + recordCount)) {
    throw corrupt("offsets are beyond 2^53 - 1", layout.BASE_OFFSET_OFFSET);
  }
  for (const field of [
    layout.APPEND_TIME_OFFSET,
    layout.FLUSHED_UP_TO_OFFSET,
    layout.BASE_TIMESTAMP_OFFSET,
    layout.PRODUCER_ID_OFFSET,
  ]) {
    if (!Number.isSafeInteger(readI64(batch, field))) throw corrupt("a header field is beyond 2^53 - 1", field);
  }
  // The field is unsigned: a value that reads as negative is 2^63 or more.
  if (readI64(batch, layout.FLUSHED_UP_TO_OFFSET) < 0)
    throw corrupt("offsets are beyond 2^53 - 1", layout.FLUSHED_UP_TO_OFFSET);
  if (recordCount === 0 || recordsLength < recordCount * layout.MIN_RECORD_LENGTH) {
    throw corrupt(`${recordsLength} bytes cannot hold ${recordCount} records`, layout.RECORD_COUNT_OFFSET);
  }
}

/**
 * Checks the length of uncompressed records, and the reserved byte.
 *
 * @param at the position of the batch in the caller's buffer, for errors
 * @throws CorruptBatchError
 */
export function checkLength(batch: Uint8Array, at: number): void {
  const recordsLength = readU32(batch, layout.RECORDS_LENGTH_OFFSET);
  if (batch[layout.COMPRESSION_OFFSET] === NO_COMPRESSION && batch.length !== layout.HEADER_LENGTH + recordsLength) {
    const what = "batch length and records length contradict each other";
    throw inconsistent(batch, at, what, layout.RECORDS_LENGTH_OFFSET);
  }
  if (batch[layout.RESERVED_OFFSET] !== 0) {
    throw inconsistent(batch, at, "the reserved byte is not 0", layout.RESERVED_OFFSET);
  }
}

function inconsistent(batch: Uint8Array, at: number, what: string, byte: number): CorruptBatchError {
  const baseOffset = readI64(batch, layout.BASE_OFFSET_OFFSET);
  return new CorruptBatchError(`${what}: the batch is damaged, or was made by faulty software`, {
    byte: at + byte,
    offset: Number.isSafeInteger(baseOffset) ? baseOffset : undefined,
  });
}
