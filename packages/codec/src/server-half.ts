/**
 * The 32 bytes that a partition fills in when it accepts a batch, and their checksum. Nothing else
 * is ever rewritten.
 */
import { crc32c } from "./crc32c.js";
import { readI64, readU32, writeI64, writeU32 } from "./integers.js";
import * as layout from "./layout.js";

/** The first 36 bytes of a batch, which the partition fills in when it accepts the batch. */
export interface ServerHalf {
  readonly baseOffset: number;
  /** ms since the epoch. */
  readonly appendTime: number;
  /** Every offset below this one is durable. */
  readonly flushedUpTo: number;
}

/** A server half as it was found. */
export interface PlacedServerHalf extends ServerHalf {
  readonly batchLength: number;
  /**
   * What the other half says, which this one's checksum does not vouch for; 0 where it is not
   * there.
   */
  readonly declaredRecordCount: number;
}

/**
 * Overwrites the server half of the batch that starts at `bytes[at]`, leaving its length as it is.
 */
export function writeServerHalf(bytes: Uint8Array, half: ServerHalf, at = 0): void {
  writeI64(bytes, at + layout.BASE_OFFSET_OFFSET, half.baseOffset);
  writeI64(bytes, at + layout.APPEND_TIME_OFFSET, half.appendTime);
  writeI64(bytes, at + layout.FLUSHED_UP_TO_OFFSET, half.flushedUpTo);
  writeU32(bytes, at + layout.SERVER_CRC_OFFSET, crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET));
}

/**
 * Whether the checksum of a server half at `bytes[at]` is right, whatever the format version: every
 * version keeps this half.
 */
export function hasSoundServerHalf(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < layout.PRODUCER_CRC_OFFSET) return false;
  return crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) === readU32(bytes, at + layout.SERVER_CRC_OFFSET);
}

/**
 * The server half at `bytes[at]` and the batch's length, if its checksum is right; undefined where
 * there is none.
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
