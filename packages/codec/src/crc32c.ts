/**
 * CRC-32C (Castagnoli): an implementation in WebAssembly and, for short inputs and where there is
 * no WebAssembly, one in plain JavaScript, with equal results.
 */
import { Crc32cFolding } from "./crc32c-folding.js";
import { CRC32C_TABLES, SLICES } from "./crc32c-tables.js";

/** Below this length plain JavaScript is as fast, because it copies nothing. */
const WASM_FROM_BYTES = 200;

const T = CRC32C_TABLES;

/**
 * Computes the CRC-32C of `bytes[start, end)` in plain JavaScript. `before` is the checksum of the
 * preceding bytes, to continue from; 0 if there are none.
 */
export function portableCrc32c(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  let crc = ~before;
  let i = start;
  for (const last = end - SLICES; i <= last; i += SLICES) {
    const a = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      T[3840 + (a & 0xff)]! ^
      T[3584 + ((a >>> 8) & 0xff)]! ^
      T[3328 + ((a >>> 16) & 0xff)]! ^
      T[3072 + (a >>> 24)]! ^
      T[2816 + bytes[i + 4]!]! ^
      T[2560 + bytes[i + 5]!]! ^
      T[2304 + bytes[i + 6]!]! ^
      T[2048 + bytes[i + 7]!]! ^
      T[1792 + bytes[i + 8]!]! ^
      T[1536 + bytes[i + 9]!]! ^
      T[1280 + bytes[i + 10]!]! ^
      T[1024 + bytes[i + 11]!]! ^
      T[768 + bytes[i + 12]!]! ^
      T[512 + bytes[i + 13]!]! ^
      T[256 + bytes[i + 14]!]! ^
      T[bytes[i + 15]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ T[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** Made when it is first needed. */
let folding: typeof portableCrc32c | undefined;

/**
 * Computes the CRC-32C of `bytes[start, end)` with the fastest implementation available. `before`
 * is the checksum of the preceding bytes, to continue from; 0 if there are none.
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  if (end - start < WASM_FROM_BYTES) return portableCrc32c(bytes, start, end, before);
  folding ??= makeFolding();
  return folding(bytes, start, end, before);
}

function makeFolding(): typeof portableCrc32c {
  try {
    const made = new Crc32cFolding();
    return (bytes, start = 0, end = bytes.length, before = 0) => made.crc32c(bytes, start, end, before);
  } catch {
    return portableCrc32c;
  }
}
