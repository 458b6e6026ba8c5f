/** One positioned read of whole batches: what every reader of a log file is made of. */
import { type BatchLimits, declaredBatchLength, MIN_BATCH_LENGTH } from "@logstore/codec";
import type { StorageFile } from "../storage/storage.js";

const MIB = 1024 * 1024;

/**
 * What is in a log was within the limits when it was accepted. They may have been lowered since,
 * and it must be read none the less: these are the highest that a store can have been opened with.
 */
export const STORED_BATCH_LIMITS: BatchLimits = { maxBatchBytes: 1024 * MIB, maxRecordsBytes: 1024 * MIB };

/** Thrown by a strict read whose first batch alone is longer than the read may be. */
export class BatchTooLongToRead extends Error {
  /** Length that the batch declares. */
  readonly byteLength: number;

  constructor(byteLength: number) {
    super(`a batch of ${byteLength} bytes`);
    this.byteLength = byteLength;
  }
}

export interface ReadRange {
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  readonly position: number;
  /** Where the log ends for this reader: nothing from there on is looked at. */
  readonly end: number;
  /** How much to read at most, unless the first batch alone is longer. */
  readonly maxBytes: number;
  /** Whether such a batch is not read but thrown as {@link BatchTooLongToRead}. Default false. */
  readonly isStrict?: boolean | undefined;
  readonly limits: BatchLimits;
}

/**
 * The whole batches at `position`, at least one. Lengths are taken as they stand: whoever parses
 * the batches sees whether they are sound. Where the first is not whole, all there is of it comes
 * back, for the parser to judge.
 *
 * @throws BatchTooLongToRead
 */
export async function readBatches(file: StorageFile, range: ReadRange): Promise<Uint8Array> {
  const available = range.end - range.position;
  const bytes = await readAt(file, range, Math.min(Math.max(range.maxBytes, MIN_BATCH_LENGTH), available));
  const whole = wholeBatchesLength(bytes);
  if (whole > 0) return bytes.subarray(0, whole);
  const wanted = Math.min(declaredBatchLength(bytes, 0) ?? MIN_BATCH_LENGTH, range.limits.maxBatchBytes, available);
  if (wanted <= bytes.length) return bytes;
  freeBuffer(bytes);
  if (range.isStrict) throw new BatchTooLongToRead(wanted);
  return readAt(file, range, wanted);
}

async function readAt(file: StorageFile, { headroomBytes, position }: ReadRange, length: number): Promise<Uint8Array> {
  const buffer = bufferFor(length, headroomBytes);
  return buffer.subarray(0, await file.read(buffer, position));
}

/**
 * A new buffer of `length` bytes, with `headroomBytes` free before them. It is nobody else's, and
 * no buffer is ever used twice: batches are still on their way to a peer long after the next ones
 * were read.
 */
export function bufferFor(length: number, headroomBytes = 0): Buffer {
  return Buffer.allocUnsafeSlow(headroomBytes + length).subarray(headroomBytes);
}

/**
 * Frees the memory of bytes that came from {@link bufferFor} now, instead of when the garbage
 * collector finds them: what is read is large and soon done with, and collections would take half
 * of a server's time. Views that are left are empty.
 */
export function freeBuffer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Frees the buffer once, and does what else is to be done then. */
export function releaseOnce(bytes: Uint8Array, released?: () => void): () => void {
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    freeBuffer(bytes);
    released?.();
  };
}

function wholeBatchesLength(bytes: Uint8Array): number {
  let end = 0;
  for (;;) {
    const length = declaredBatchLength(bytes, end);
    if (length === undefined || length < MIN_BATCH_LENGTH || end + length > bytes.length) return end;
    end += length;
  }
}
