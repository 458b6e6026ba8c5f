/** Applies the retention limits of a store. */
import { startInterval, type Timer } from "@logstore/codec";
import type { FilePartitionLog } from "../partition/file-partition-log.js";

const INTERVAL_MS = 60_000;

/** Applies the limits once a minute, until the timer is cancelled. */
export function startRetention(apply: () => Promise<void>): Timer {
  return startInterval(INTERVAL_MS, () => void apply().catch(() => {}), { keepsAlive: false });
}

/**
 * Deletes records that exceed the limits, in one partition after another. After a failure it
 * continues with the next partition.
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
