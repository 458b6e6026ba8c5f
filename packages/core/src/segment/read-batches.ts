/** One positioned read of whole batches: what every reader of a log file is made of. */
import { type BatchLimits, declaredBatchLength, MIN_BATCH_LENGTH } from "@logstore/codec";
import type { StorageFile } from "../storage/storage.js";

const MIB = 1024 * 1024;

/**
 * What is in a log was within the limits when it was accepted. They may have been lowered since, and it must be read none the
 * less: these are the highest that a store can have been opened with.
 */
export const STORED_BATCH_LIMITS: BatchLimits = { maxBatchBytes: 1024 * MIB, maxRecordsBytes: 1024 * MIB };

/** How the bytes of a read are come by. */
export interface ReadRoom {
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** A buffer of at least so many bytes to read to. Default: a new one. */
  readonly bufferOf?: ((length: number) => Uint8Array) | undefined;
}

/** What a read ends with that may not bring more than it was to, and whose first batch alone is longer. */
export class BatchTooLongToRead extends Error {
  /** How long it says it is. */
  readonly byteLength: number;

  constructor(byteLength: number) {
    super(`a batch of ${byteLength} bytes`);
    this.byteLength = byteLength;
  }
}

export interface ReadRange extends ReadRoom {
  readonly position: number;
  /** Where the log ends for this reader: nothing from there on is looked at. */
  readonly end: number;
  /** How much to read at most, unless the first batch alone is longer. */
  readonly maxBytes: number;
  /** Whether not even then. Default false. */
  readonly isStrict?: boolean | undefined;
  readonly limits: BatchLimits;
}

/**
 * The whole batches at `position`, at least one. Lengths are taken as they stand: whoever parses the
 * batches sees whether they are sound. Where the first is not whole, all there is of it comes back, for the parser to judge.
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
  if (range.isStrict) throw new BatchTooLongToRead(wanted);
  return readAt(file, range, wanted);
}

async function readAt(file: StorageFile, range: ReadRange, length: number): Promise<Uint8Array> {
  const buffer = bufferFor(range, length);
  return buffer.subarray(0, await file.read(buffer, range.position));
}

/** Room for `length` bytes, with as many free before them as were asked for. */
export function bufferFor({ headroomBytes = 0, bufferOf = Buffer.allocUnsafeSlow }: ReadRoom, length: number): Buffer {
  const whole = bufferOf(headroomBytes + length);
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
