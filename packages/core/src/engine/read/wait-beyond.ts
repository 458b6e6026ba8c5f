/** Waiting for a log's high watermark. */
import type { LogOffsets } from "./log-offsets.js";

/**
 * Resolves to true when the high watermark is above `offset`, `isOver` holds or `signal` aborts; to
 * false after `timeoutMs`.
 */
export async function waitBeyond(
  offsets: LogOffsets,
  offset: number,
  isOver: () => boolean,
  signal: AbortSignal | undefined,
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (offsets.highWatermark <= offset && !isOver() && !signal?.aborted) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await offsets.change(signal, leftMs);
  }
  return true;
}
