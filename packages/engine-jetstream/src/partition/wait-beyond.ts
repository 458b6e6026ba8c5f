/** Waiting for records: an owner is woken by its own writes, any other broker asks the stream. */
import type { LogOffsets, PartitionLog } from "@logstore/core/engine";

const ASK_EVERY_MS = 250;

interface Log extends Pick<PartitionLog, "isClosed" | "refresh"> {
  readonly offsets: LogOffsets;
}

/**
 * Resolves when the high watermark is beyond `offset`, the log is closed, `signal` aborts, or after
 * `timeoutMs`: to false in the last case only.
 */
export async function waitBeyond(
  log: Log,
  offset: number,
  signal: AbortSignal | undefined,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (log.offsets.highWatermark <= offset && !log.isClosed && !signal?.aborted) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await log.offsets.change(signal, Math.min(leftMs, ASK_EVERY_MS));
    if (log.isClosed || signal?.aborted) break;
    await log.refresh()?.catch(() => {}); // a cluster without a quorum ends no wait
  }
  return true;
}
