/**
 * Verifies a restored topic against the description of its snapshot. A restore that is not complete
 * is refused.
 */
import { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import type { SnapshotDescription } from "@logstore/protocol";
import type { Storage } from "../storage/storage.js";
import { ReadOnlyLogStore } from "../store/read-only-log-store.js";

/** A partition that is damaged or too short must not pass for the snapshot. */
export async function checkBounds(
  storage: Storage,
  directory: string,
  { partitions }: SnapshotDescription,
): Promise<void> {
  const store = await ReadOnlyLogStore.open(directory, { storage });
  try {
    if (store.partitionCount !== partitions.length) {
      throw notWhole(directory, `${store.partitionCount} partitions`, `${partitions.length}`);
    }
    for (const { partition, logStartOffset, logEndOffset } of partitions) {
      const { startOffset, endOffset } = store.partition(partition);
      if (startOffset === logStartOffset && endOffset === logEndOffset) continue;
      const { damage } = store.log(partition);
      if (damage instanceof StorageFailedError) throw damage; // an I/O error says nothing about the partition's contents
      const found = `offsets ${startOffset} to ${endOffset} in partition ${partition}`;
      throw notWhole(directory, found, `${logStartOffset} to ${logEndOffset}`).with({ partition });
    }
  } finally {
    await store.close();
  }
}

/** If a file in the middle is missing or too short, both ends of the log may still look intact. */
export function checkSize(directory: string, sizeBytes: number, said: SnapshotDescription): void {
  if (sizeBytes !== said.sizeBytes) throw notWhole(directory, `${sizeBytes} bytes`, `${said.sizeBytes}`);
}

function notWhole(directory: string, found: string, said: string): CorruptPartitionError {
  return new CorruptPartitionError(
    `${directory} has ${found}, and its snapshot.json says ${said}: the snapshot is damaged; restore it from a copy`,
  );
}
