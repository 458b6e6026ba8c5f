/** How much of a damaged log was durable. */
import { FORMAT_MARK, HEADER_LENGTH, readServerHalf, type ServerHalf } from "@logstore/codec";
import type { StorageFile } from "../storage/storage.js";

const CHUNK_BYTES = 1024 * 1024;

/**
 * How far the log was durable, as far as sound headers behind a damaged place tell: whatever came after proves what was before.
 * A header is vouched for by its checksum, whatever became of the records behind it.
 */
export async function durableOffsetBehind(
  file: StorageFile,
  position: number,
  end: number,
  damagedOffset: number,
): Promise<number> {
  let durable = 0;
  for await (const { baseOffset, flushedUpTo } of soundHeaders(file, position, end)) {
    if (baseOffset > damagedOffset && flushedUpTo <= baseOffset) durable = Math.max(durable, flushedUpTo);
  }
  return durable;
}

/** What lies within a batch may look like one, where somebody keeps batches as values: it is passed over. */
export async function* soundHeaders(
  file: StorageFile,
  position: number,
  end: number,
): AsyncGenerator<ServerHalf & { readonly position: number }, void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
  for (let at = position; at < end; ) {
    const wanted = Math.min(buffer.length, end - at);
    const bytes = buffer.subarray(0, await file.read(buffer.subarray(0, wanted), at));
    const isRest = at + bytes.length === end || bytes.length < wanted;
    let i = 0;
    while (i < bytes.length) {
      const found = bytes.indexOf(FORMAT_MARK, i);
      i = found < 0 ? Math.max(i, bytes.length - FORMAT_MARK.length + 1) : found;
      // A header that is not whole is looked at again with what follows it.
      if (found < 0 || (!isRest && bytes.length - i < HEADER_LENGTH)) break;
      const header = readServerHalf(bytes, i);
      if (header !== undefined) yield { ...header, position: at + i };
      i += Math.max(1, header?.batchLength ?? 1);
    }
    if (isRest) return;
    at += i;
  }
}

/** Whether there is nothing but zeros: written ahead, or a length that became durable before its bytes. */
export async function isZeros(file: StorageFile, position: number, end: number): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
  for (let at = position; at < end; ) {
    const bytes = buffer.subarray(0, await file.read(buffer.subarray(0, Math.min(buffer.length, end - at)), at));
    if (bytes.length === 0 || bytes.some((byte) => byte !== 0)) return false;
    at += bytes.length;
  }
  return true;
}
