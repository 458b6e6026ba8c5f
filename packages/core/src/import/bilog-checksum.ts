/**
 * The checksum of the Go LogStore's records: CRC-32's algorithm with its polynomial in the wrong
 * bit order, which no library computes. See docs/format/bilog.md.
 */

const POLYNOMIAL = 0x04c11db7;

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  return table;
}

const table = makeTable();

export function bilogChecksum(payload: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < payload.length; i++) crc = table[(crc ^ payload[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Whether any non-empty payload can have this checksum: its upper five bits are always 1. */
export function isChecksumOfBytes(checksum: number): boolean {
  return checksum >>> 27 === 0b11111;
}
