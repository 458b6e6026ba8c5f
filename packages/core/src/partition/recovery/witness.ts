/**
 * What the headers behind a damaged place say of the log, whatever became of the records behind
 * them.
 */
import {
  FORMAT_MARK,
  HEADER_LENGTH,
  LogStoreError,
  type PlacedServerHalf,
  RecordBatch,
  readServerHalf,
} from "@logstore/codec";
import { STORED_BATCH_LIMITS } from "../../engine/read/buffers.js";
import type { StorageFile } from "../../storage/storage.js";

const CHUNK_BYTES = 1024 * 1024;

export interface Witness {
  /** Every offset below this one was durable: whatever came after proves what was before. */
  readonly durable: number;
  /** Every offset from this one on was never given. */
  readonly given: number;
}

export async function witnessBehind(
  file: StorageFile,
  position: number,
  end: number,
  damagedOffset: number,
): Promise<Witness> {
  let durable = 0;
  let last: SoundHeader | undefined;
  for await (const header of soundHeaders(file, position, end)) {
    const { baseOffset, flushedUpTo } = header;
    if (baseOffset < damagedOffset || flushedUpTo > baseOffset) continue;
    if (baseOffset > damagedOffset) durable = Math.max(durable, flushedUpTo);
    if (last === undefined || baseOffset > last.baseOffset) last = header;
  }
  return { durable, given: last === undefined ? 0 : await endOf(file, last, end) };
}

/**
 * Where a batch ends whose records may be damaged: what it says of their number is all there is
 * then.
 */
async function endOf(
  file: StorageFile,
  { baseOffset, batchLength, declaredRecordCount, position }: SoundHeader,
  end: number,
): Promise<number> {
  const length = Math.min(batchLength, end - position, STORED_BATCH_LIMITS.maxBatchBytes);
  const bytes = Buffer.allocUnsafe(length);
  try {
    const read = bytes.subarray(0, await file.read(bytes, position));
    return RecordBatch.parse(read, 0, STORED_BATCH_LIMITS).verify().nextOffset;
  } catch (error) {
    if (!(error instanceof LogStoreError)) throw error;
    return baseOffset + Math.max(1, declaredRecordCount);
  }
}

export interface SoundHeader extends PlacedServerHalf {
  readonly position: number;
}

/**
 * What lies within a batch may look like one, where somebody keeps batches as values: it is passed
 * over.
 */
export async function* soundHeaders(
  file: StorageFile,
  position: number,
  end: number,
): AsyncGenerator<SoundHeader, void> {
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

/**
 * Whether there is nothing but zeros: written ahead, or a length that became durable before its
 * bytes.
 */
export async function isZeros(file: StorageFile, position: number, end: number): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
  for (let at = position; at < end; ) {
    const bytes = buffer.subarray(0, await file.read(buffer.subarray(0, Math.min(buffer.length, end - at)), at));
    if (bytes.length === 0 || bytes.some((byte) => byte !== 0)) return false;
    at += bytes.length;
  }
  return true;
}
