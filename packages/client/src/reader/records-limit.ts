import { defaultBatchLimits } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

const told = new WeakMap<LogApi, number>();

/**
 * Largest records section of a batch that is unpacked, bytes: the default, or what the log has said
 * that it takes.
 */
export function maxRecordsBytes(api: LogApi): number {
  return Math.max(told.get(api) ?? 0, defaultBatchLimits.maxRecordsBytes);
}

/** Asks the log what it takes. True where that is more than was known. */
export async function learnMaxRecordsBytes(api: LogApi): Promise<boolean> {
  const before = maxRecordsBytes(api);
  const { limits } = await api.describeServer();
  told.set(api, limits.maxRecordsBytes ?? 0);
  return maxRecordsBytes(api) > before;
}
