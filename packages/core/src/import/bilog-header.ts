/** The twelve-byte header before a payload. The format in docs/format/bilog.md never changes. */
import { isChecksumOfBytes } from "./bilog-checksum.js";

const LENGTH_OFFSET = 0;
const CHECKSUM_OFFSET = LENGTH_OFFSET + 8;
export const HEADER_BYTES = CHECKSUM_OFFSET + 4;

/** The record length in a header; inexact beyond 2^53, where it is invalid anyway. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at + LENGTH_OFFSET) * 2 ** 32 + uint32(bytes, at + LENGTH_OFFSET + 4);
}

export function checksumAt(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at + CHECKSUM_OFFSET);
}

/**
 * Returns the index of the first possible header of a record with a payload and a total length of
 * at most `maxLength`; -1 if there is none.
 */
export function findHeader(bytes: Uint8Array, maxLength: number): number {
  for (let i = 0; i + HEADER_BYTES <= bytes.length; i++) {
    if (bytes[i] !== 0) continue; // the most significant byte of the length, which is 0 in any valid length
    const length = lengthAt(bytes, i);
    if (length > HEADER_BYTES && length <= maxLength && isChecksumOfBytes(checksumAt(bytes, i))) return i;
  }
  return -1;
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
