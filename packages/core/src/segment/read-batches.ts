/** One positioned read of whole batches: what every reader of a log file is made of. */
import { type BatchLimits, declaredBatchLength, MIN_BATCH_LENGTH } from "@logstore/codec";
import type { StorageFile } from "../storage/storage.js";

const MIB = 1024 * 1024;

/**
 * What is in a log was within the limits when it was accepted. They may have been lowered since, and it must be read none the
 * less: these are the highest that a store can have been opened with.
 */
export const STORED_BATCH_LIMITS: BatchLimits = { maxBatchBytes: 1024 * MIB, maxRecordsBytes: 1024 * MIB };

export interface ReadRange {
  readonly position: number;
  /** Where the log ends for this reader: nothing from there on is looked at. */
  readonly end: number;
  /** How much to read at most, unless the first batch alone is longer. */
  readonly maxBytes: number;
  readonly limits: BatchLimits;
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** Where to read to, if it is long enough. Default: a buffer of its own. */
  readonly into?: Uint8Array | undefined;
}

/**
 * The whole batches at `position`, at least one. Lengths are taken as they stand: whoever parses the
 * batches sees whether they are sound. Where the first is not whole, all there is of it comes back, for the parser to judge.
 */
export async function readBatches(file: StorageFile, range: ReadRange): Promise<Uint8Array> {
  const available = range.end - range.position;
  const bytes = await readAt(file, range, Math.min(Math.max(range.maxBytes, MIN_BATCH_LENGTH), available));
  const whole = wholeBatchesLength(bytes);
  if (whole > 0) return bytes.subarray(0, whole);
  const wanted = Math.min(declaredBatchLength(bytes, 0) ?? MIN_BATCH_LENGTH, range.limits.maxBatchBytes, available);
  return wanted > bytes.length ? readAt(file, range, wanted) : bytes;
}

async function readAt(file: StorageFile, range: ReadRange, length: number): Promise<Uint8Array> {
  const buffer = bufferFor(range, length);
  return buffer.subarray(0, await file.read(buffer, range.position));
}

/** Room for `length` bytes, with as many free before them as were asked for. */
export function bufferFor(
  { headroomBytes = 0, into }: Pick<ReadRange, "headroomBytes" | "into">,
  length: number,
): Buffer {
  const end = headroomBytes + length;
  const whole = into !== undefined && into.length >= end ? into : Buffer.allocUnsafeSlow(end);
  return Buffer.from(whole.buffer, whole.byteOffset + headroomBytes, length);
}

function wholeBatchesLength(bytes: Uint8Array): number {
  let end = 0;
  for (;;) {
    const length = declaredBatchLength(bytes, end);
    if (length === undefined || length < MIN_BATCH_LENGTH || end + length > bytes.length) return end;
    end += length;
  }
}
