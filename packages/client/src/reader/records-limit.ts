import { defaultBatchLimits } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

const told = new WeakMap<LogApi, number>();

/**
 * Largest records section of a batch that is decompressed, bytes: the default, or the limit that
 * the log reported.
 */
export function maxRecordsBytes(api: LogApi): number {
  return Math.max(told.get(api) ?? 0, defaultBatchLimits.maxRecordsBytes);
}

/** Requests the log's limit. Resolves to true if it is higher than the one known before. */
export async function learnMaxRecordsBytes(api: LogApi): Promise<boolean> {
  const before = maxRecordsBytes(api);
  const { limits } = await api.describeServer();
  told.set(api, limits.maxRecordsBytes ?? 0);
  return maxRecordsBytes(api) > before;
}
