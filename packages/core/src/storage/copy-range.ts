import type { StorageFile } from "./storage.js";

const CHUNK_BYTES = 1024 * 1024;

/** Copies a range of bytes to a position in another file, or in the same one. */
export async function copyRange(
  from: StorageFile,
  start: number,
  end: number,
  to: StorageFile,
  toStart: number,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - start));
  for (let at = start; at < end; ) {
    const read = await from.read(buffer.subarray(0, Math.min(buffer.length, end - at)), at);
    if (read === 0) return;
    await to.write([buffer.subarray(0, read)], toStart + at - start);
    at += read;
  }
}
