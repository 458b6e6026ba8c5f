/**
 * Times up to this far from the limit of safe integers cannot pass it by a delta of three bytes.
 */
const MAX_BASE_TIMESTAMP = Number.MAX_SAFE_INTEGER - 2 ** 21;

/**
 * Whether a batch's records are sound and of the ordinary kind: no headers, lengths and deltas of
 * up to three bytes. This is what nearly all batches are, and it is decided three times as fast as
 * by walking them with a cursor. False says nothing: the cursor decides, and names what is wrong.
 */
export function areOrdinaryRecords(bytes: Uint8Array, recordCount: number, baseTimestamp: number): boolean {
  if (Math.abs(baseTimestamp) > MAX_BASE_TIMESTAMP) return false;
  const end = bytes.length;
  let at = 0;
  for (let i = 0; i < recordCount; i++) {
    let mark = bytes[at++]!;
    if (mark >= 0x80) {
      const second = bytes[at++]!;
      mark = (mark & 0x7f) | ((second & 0x7f) << 7);
      if (second >= 0x80) {
        const third = bytes[at++]!;
        if (third >= 0x80) return false;
        mark |= third << 14;
      }
    }
    const hasHeaders = (mark & 1) === 1;
    const recordEnd = at + (mark >>> 1);
    // Past the end every byte reads as undefined, which counts as 0 above: the position tells.
    if (hasHeaders || recordEnd > end) return false;
    if (bytes[at++]! >= 0x80 && bytes[at++]! >= 0x80 && bytes[at++]! >= 0x80) return false;
    let keyMark = bytes[at++]!;
    if (keyMark >= 0x80) {
      const second = bytes[at++]!;
      if (second >= 0x80) return false;
      keyMark = (keyMark & 0x7f) | (second << 7);
    }
    // Asked this way round: a key's length from past the end is undefined, and no comparison with
    // it holds.
    if (!((keyMark === 0 ? at : at + keyMark - 1) <= recordEnd)) return false;
    at = recordEnd;
  }
  return at === end;
}
