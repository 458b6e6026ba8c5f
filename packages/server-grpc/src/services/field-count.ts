/**
 * How many fields with content a message has, and those of them that are long have: a part of what
 * decoding it costs.
 */

const VARINT = 0;
const I64 = 1;
const LENGTH_DELIMITED = 2;
const I32 = 5;

/** Only what is longer than this is looked into. */
const LONG_BYTES = 16 * 1024;

/** What is not well-formed is counted as far as it is. */
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
