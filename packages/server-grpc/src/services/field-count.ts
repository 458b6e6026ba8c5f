/**
 * Counts the non-empty fields of a message, and those of its long nested ones: a measure of the
 * cost of decoding it.
 */

const VARINT = 0;
const I64 = 1;
const LENGTH_DELIMITED = 2;
const I32 = 5;

/** Only fields longer than this are examined. */
const LONG_BYTES = 16 * 1024;

/** A malformed message is counted as far as it is well-formed. */
export function fieldCount(bytes: Buffer): number {
  let count = 0;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 0x80) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const wireType = varint() % 8;
    count++;
    if (wireType === VARINT) varint();
    else if (wireType === I64) at += 8;
    else if (wireType === I32) at += 4;
    else if (wireType === LENGTH_DELIMITED) {
      const length = varint();
      if (length > LONG_BYTES) count += fieldCount(bytes.subarray(at, at + length));
      at += length;
    } else break;
  }
  return count;
}
