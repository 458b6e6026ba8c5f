/** Waiting for records: an owner is woken by its own writes, any other broker asks the stream. */
import type { LogOffsets, PartitionLog } from "@logstore/core/engine";

const ASK_EVERY_MS = 250;

interface Log extends Pick<PartitionLog, "isClosed" | "refresh"> {
  readonly offsets: LogOffsets;
}

/**
 * Resolves when the high watermark is beyond `offset`, the log is closed or was cut before
 * `offset`, `signal` aborts, or after `timeoutMs`: to false in the last case only.
 */
export async function waitBeyond(
  log: Log,
  offset: number,
  signal: AbortSignal | undefined,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const isOver = () => log.isClosed || signal?.aborted || log.offsets.wasCutBefore(offset);
  while (log.offsets.highWatermark <= offset && !isOver()) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await log.offsets.change(signal, Math.min(leftMs, ASK_EVERY_MS));
    if (isOver()) break;
    await log.refresh()?.catch(() => {}); // a cluster without a quorum ends no wait
  }
  return true;
}
