import type { FilePartitionLog } from "../partition/file-partition-log.js";

/**
 * Deletes what is too old or too much, partition by partition: one that fails does not keep the
 * others from it.
 *
 * @throws the first failure, at the end
 */
export async function applyRetention(partitions: readonly FilePartitionLog[]): Promise<void> {
  let failed: { readonly error: unknown } | undefined;
  for (const log of partitions) {
    if (log.damage !== undefined || log.isClosed) continue;
    try {
      await log.applyRetention();
    } catch (error) {
      failed ??= { error };
    }
  }
  if (failed !== undefined) throw failed.error;
}
