/** Waiting for a log's high watermark. */
import type { LogOffsets } from "./log-offsets.js";

/**
 * Resolves when the high watermark is beyond `offset`, `isOver` holds, `signal` aborts, or after
 * `timeoutMs`: to false in the last case only.
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
