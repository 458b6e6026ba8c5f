/** What is wrong with a store's partitions, as far as is known. */
import type { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { TornTail } from "../partition/recovery/torn-tail.js";

/** What opening found in a partition that a clean close would not have left. */
export interface RecoveryReport {
  readonly partition: number;
  /** What a crash left of an append that was not acknowledged, if something. */
  readonly tornTail: TornTail | undefined;
  /** Why the partition can be read only up to some offset and takes no appends, if so. */
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** Why the partition takes no appends though it can be read, if so. */
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

/** @param isLost whether the store's directory is not this process's any more */
export function failedPartitions(partitions: readonly FilePartitionLog[], isLost: boolean): number[] {
  const failed = partitions.filter(
    ({ knownDamage, failure }) => isLost || knownDamage !== undefined || failure !== undefined,
  );
  return failed.map(({ partition }) => partition);
}
