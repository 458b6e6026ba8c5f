/** Errors of a partition whose files are damaged or unreadable. */
import { CorruptPartitionError, type ErrorFields, LogStoreError, StorageFailedError } from "@logstore/codec";
import type { Segment } from "../../segment/segment.js";
import { adviceOf, attemptOf, reasonOf } from "../../storage/io-trouble.js";
import { storageError } from "../../storage/storage-error.js";

interface Partition {
  readonly partition: number;
}

/**
 * @param offset the record to be read
 * @returns CorruptPartitionError, StorageFailedError, or ClosedError if the file was closed
 */
export function readError({ partition }: Partition, segment: Segment, offset: number, error: unknown): LogStoreError {
  if (!(error instanceof LogStoreError)) {
    return storageError(error, `partition ${partition} cannot be read at offset ${offset}`, { partition, offset });
  }
  if (error.code === "CLOSED" || error instanceof CorruptPartitionError) return error;
  return damagedAt({ partition }, segment, error.offset ?? offset, error.byte ?? 0, error);
}

/** Damage found by a reader. */
export function damagedAt(
  { partition }: Partition,
  segment: Pick<Segment, "name">,
  offset: number,
  byte: number,
  cause: Error,
): CorruptPartitionError {
  const file = `${partition}/${segment.name}`;
  return new CorruptPartitionError(
    `partition ${partition} is damaged at offset ${offset} (${file}, byte ${byte}): ${cause.message}. Restore the file from a copy`,
    { partition, offset, file, byte },
    { cause },
  );
}

/** A disk that cannot be read fails the partition from this position on. */
export function unreadableError(partition: number, cause: Error, fields: ErrorFields = {}): StorageFailedError {
  const { file = attemptOf(cause)?.file } = fields;
  const where = fields.file === undefined ? "" : ` from ${fields.file}, byte ${fields.byte}, on`;
  return new StorageFailedError(
    `partition ${partition} cannot be read${where} (${reasonOf(cause)}): ${adviceOf(cause)}`,
    { ...fields, file, partition },
    { cause },
  );
}

/** Damage of records that are known to have been durable, found when a log is opened. */
export function durableDamageAt(
  partition: number,
  segmentName: string,
  position: number,
  offset: number,
  cause: LogStoreError,
): CorruptPartitionError {
  const file = `${partition}/${segmentName}`;
  return new CorruptPartitionError(
    `partition ${partition} is damaged at offset ${offset} (${file}, byte ${position}), which was durable: ${cause.message}. ` +
      "Nothing was cut; records before it can be read, appends are refused. Restore the file from a copy",
    { partition, offset, file, byte: position },
    { cause },
  );
}
