/**
 * The server half of a batch header: the 32 bytes that a partition fills in when it accepts the
 * batch, checksum included. The rest of the batch never changes.
 */
import { crc32c } from "./crc32c.js";
import { readI64, readU32, writeI64, writeU32 } from "./integers.js";
import * as layout from "./layout.js";

/** The fields that a partition fills in when it accepts a batch. */
export interface ServerHalf {
  readonly baseOffset: number;
  /** ms since the epoch. */
  readonly appendTime: number;
  /** Every record below this offset is durable. */
  readonly flushedUpTo: number;
}

/** A server half as read from a buffer. */
export interface PlacedServerHalf extends ServerHalf {
  readonly batchLength: number;
  /**
   * The record count of the producer half, which the server half's checksum does not cover; 0 if
   * the buffer ends before it.
   */
  readonly declaredRecordCount: number;
}

/** Overwrites the server half of the batch that starts at `bytes[at]`; the length field stays. */
export function writeServerHalf(bytes: Uint8Array, half: ServerHalf, at = 0): void {
  writeI64(bytes, at + layout.BASE_OFFSET_OFFSET, half.baseOffset);
  writeI64(bytes, at + layout.APPEND_TIME_OFFSET, half.appendTime);
  writeI64(bytes, at + layout.FLUSHED_UP_TO_OFFSET, half.flushedUpTo);
  writeU32(bytes, at + layout.SERVER_CRC_OFFSET, crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET));
}

/**
 * Whether the server half at `bytes[at]` has a valid checksum. Independent of the format version:
 * every version has the same server half.
 */
export function hasSoundServerHalf(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < layout.PRODUCER_CRC_OFFSET) return false;
  return crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) === readU32(bytes, at + layout.SERVER_CRC_OFFSET);
}

/**
 * Reads the server half at `bytes[at]` and the batch's length; undefined if its checksum is not
 * valid.
 */
export function readServerHalf(bytes: Uint8Array, at: number): PlacedServerHalf | undefined {
  if (layout.FORMAT_MARK.some((byte, i) => bytes[at + i] !== byte)) return undefined;
  if (!hasSoundServerHalf(bytes, at)) return undefined;
  const isWhole = bytes.length - at >= layout.HEADER_LENGTH;
  return {
    batchLength: readU32(bytes, at + layout.BATCH_LENGTH_OFFSET),
    declaredRecordCount: isWhole ? readU32(bytes, at + layout.RECORD_COUNT_OFFSET) : 0,
    baseOffset: readI64(bytes, at + layout.BASE_OFFSET_OFFSET),
    appendTime: readI64(bytes, at + layout.APPEND_TIME_OFFSET),
    flushedUpTo: readI64(bytes, at + layout.FLUSHED_UP_TO_OFFSET),
  };
}
