/** Little-endian header integers as safe JavaScript numbers. */

const TWO_POW_32 = 0x1_0000_0000;

export function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/**
 * Reads a 64-bit two's complement integer. The result is exact only if `Number.isSafeInteger` is
 * true of it, which the caller must check.
 */
export function readI64(bytes: Uint8Array, at: number): number {
  return (readU32(bytes, at + 4) | 0) * TWO_POW_32 + readU32(bytes, at);
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function writeI64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / TWO_POW_32);
  writeU32(bytes, at, value - high * TWO_POW_32);
  writeU32(bytes, at + 4, high);
}
