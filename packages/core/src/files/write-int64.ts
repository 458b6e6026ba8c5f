/**
 * Writes an integer in eight bytes, little-endian, two's complement.
 *
 * Not with `Buffer.writeBigUInt64LE`: Node checks its argument with the function that also checks
 * those of `writeUInt32LE` and the like, and that function is slower for numbers once it has seen a
 * BigInt, in all of the program.
 *
 * @param value a safe integer
 */
export function writeInt64(bytes: Uint8Array, value: number, at: number): void {
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setBigInt64(at, BigInt(value), true);
}
