import type { StorageFile } from "./storage.js";

/**
 * Writes to a file. Returns undefined if the write is done: the promises of an append would cost as
 * much as a short write to the page cache.
 */
export function writeTo(
  file: StorageFile,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<void> | undefined {
  return file.writeNow?.(buffers, position) ? undefined : file.write(buffers, position);
}
