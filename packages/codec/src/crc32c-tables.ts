/**
 * The tables of slicing-by-16, which computes a CRC-32C from sixteen bytes a step, with one table
 * for each (Kounavis and Berry, 2005).
 */
const POLYNOMIAL = 0x82f63b78;
/** Bytes of a step. */
export const SLICES = 16;

/** Entry 256 * k + b is the state after byte b and k zeros, from the state 0. */
export const CRC32C_TABLES = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256]!;
    tables[i] = (previous >>> 8) ^ tables[previous & 0xff]!;
  }
  return tables;
}
