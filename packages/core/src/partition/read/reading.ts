/** What goes wrong while a partition's files are read, as an error of the partition. */
import { CorruptPartitionError, LogStoreError } from "@logstore/codec";
import type { Segment } from "../../segment/segment.js";
import { storageError } from "../../storage/storage-error.js";

interface Partition {
  readonly partition: number;
}

/**
 * @param offset the record that was to be read
 * @returns CorruptPartitionError, StorageFailedError, or ClosedError where the file was closed
 * meanwhile
 */
export function readError({ partition }: Partition, segment: Segment, offset: number, error: unknown): LogStoreError {
  if (!(error instanceof LogStoreError)) {
    return storageError(error, `partition ${partition} cannot be read at offset ${offset}`, { partition, offset });
  }
  if (error.code === "CLOSED" || error instanceof CorruptPartitionError) return error;
  return damagedAt({ partition }, segment, error.offset ?? offset, error.byte ?? 0, error);
}

/** Damage that a reader comes upon. */
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
