/** Buffers into which batches are read, and the limits of stored batches. */
import type { BatchLimits } from "@logstore/codec";

const MIB = 1024 * 1024;

/**
 * Stored batches were within the limits when they were accepted. The limits may have been lowered
 * since, but the batches must still be readable: these are the highest limits that a store can have
 * had.
 */
export const STORED_BATCH_LIMITS: BatchLimits = { maxBatchBytes: 1024 * MIB, maxRecordsBytes: 1024 * MIB };

/**
 * Allocates a buffer of `length` bytes, with `headroomBytes` free before them. Buffers are never
 * pooled or reused, because batches may still be on their way to a peer long after the next ones
 * were read.
 */
export function bufferFor(length: number, headroomBytes = 0): Uint8Array<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(headroomBytes + length).subarray(headroomBytes);
}

/**
 * Frees the memory of bytes from {@link bufferFor} now, instead of leaving it to the garbage
 * collector: read buffers are large and short-lived, and collecting them would take half of a
 * server's time. Remaining views become empty.
 */
export function freeBuffer({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Returns a function that frees the buffer once, and then calls `released`. */
export function releaseOnce(bytes: Uint8Array, released?: () => void): () => void {
  let isReleased = false;
  return () => {
    if (isReleased) return;
    isReleased = true;
    freeBuffer(bytes);
    released?.();
  };
}
