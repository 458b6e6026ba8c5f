/** Unsigned LEB128 of safe integers: seven bits per byte, least significant first. */

/** Length of the longest varint: 53 bits of a safe integer and the sign bit of zigzag. */
export const MAX_VARINT_LENGTH = 8;

const TWO_POW_7 = 0x80;
const TWO_POW_14 = 0x4000;
const TWO_POW_21 = 0x20_0000;
const TWO_POW_28 = 0x1000_0000;

export function varintLength(value: number): number {
  if (value < TWO_POW_7) return 1;
  if (value < TWO_POW_14) return 2;
  if (value < TWO_POW_21) return 3;
  if (value < TWO_POW_28) return 4;
  let length = 4;
  for (let rest = Math.floor(value / TWO_POW_28); rest > 0; rest = Math.floor(rest / TWO_POW_7)) length++;
  return length;
}

/** Writes `value` at `bytes[at]` and returns the index after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Bitwise operators work on 32 bits only: larger values are divided until they fit.
  while (rest >= TWO_POW_28) {
    bytes[at++] = (rest % TWO_POW_7) | 0x80;
    rest = Math.floor(rest / TWO_POW_7);
  }
  while (rest >= TWO_POW_7) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/**
 * Zigzag-encodes a safe integer of at most 52 bits: numbers of small magnitude, of either sign,
 * become short varints.
 */
export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : value * -2 - 1;
}

export function unzigzag(value: number): number {
  if (value < TWO_POW_28) return (value >>> 1) ^ -(value & 1);
  return value % 2 === 0 ? value / 2 : (value + 1) / -2;
}
