/**
 * What the batch headers after a damaged part prove about the log, whatever the state of their
 * records.
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
  /** Every record below this offset was durable, because later batches prove it. */
  readonly durable: number;
  /** No offset at or above this one was assigned. */
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
 * Returns the offset after a batch whose records may be damaged. If they are, only the declared
 * record count is known.
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
 * An application may store batches as values. Whatever looks like a batch within the records of
 * another batch is skipped.
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
      // An incomplete header is examined again together with the following bytes.
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
 * Whether a range contains only zeros. They are preallocated, or left by a crash that made the
 * file's length durable before its bytes.
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
