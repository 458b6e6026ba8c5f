/**
 * Views `bytes[start, end)`. It costs about half of `subarray`, and returns a Uint8Array even for a
 * Buffer.
 */
export function view(bytes: Uint8Array, start: number, end: number = bytes.length): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
