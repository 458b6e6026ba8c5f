/** Known problems of a store's partitions. */
import type { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { TornTail } from "../partition/recovery/torn-tail.js";

/** What opening found in a partition, apart from what a clean close leaves. */
export interface RecoveryReport {
  readonly partition: number;
  /** The remains of an unacknowledged append, which were removed; undefined if there were none. */
  readonly tornTail: TornTail | undefined;
  /** Why the partition accepts no appends and cannot be read to its end; undefined if it can. */
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** Why the partition accepts no appends although it can be read; undefined if it does. */
  readonly failure?: StorageFailedError | undefined;
}

export function recoveryReports(partitions: readonly FilePartitionLog[]): RecoveryReport[] {
  const found = partitions.filter(
    ({ tornTail, damage, failure }) => tornTail !== undefined || damage !== undefined || failure !== undefined,
  );
  return found.map(({ partition, tornTail, damage, failure }) => {
    return { partition, tornTail, damage, ...(failure !== undefined && { failure }) };
  });
}

/** @param isLost whether the store's directory no longer belongs to this process */
export function failedPartitions(partitions: readonly FilePartitionLog[], isLost: boolean): number[] {
  const failed = partitions.filter(
    ({ knownDamage, failure }) => isLost || knownDamage !== undefined || failure !== undefined,
  );
  return failed.map(({ partition }) => partition);
}
