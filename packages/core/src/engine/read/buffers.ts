/** The buffers that batches are read into, and the limits of what is read. */
import type { BatchLimits } from "@logstore/codec";

const MIB = 1024 * 1024;

/**
 * What is in a log was within the limits when it was accepted. They may have been lowered since,
 * and it must be read none the less: these are the highest that a store can have been opened with.
 */
export const STORED_BATCH_LIMITS: BatchLimits = { maxBatchBytes: 1024 * MIB, maxRecordsBytes: 1024 * MIB };

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
