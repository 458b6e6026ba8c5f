/** How much goes into one message: policies, as pure functions. Sizes are bytes. */

/**
 * Smaller messages cost more than they are worth; whoever reads gets so much at a time, or waits.
 */
export const MIN_SHARE_BYTES = 64 * 1024;

/** A stream holds a message that is being sent, and one that was read ahead. */
const MESSAGES_OF_A_STREAM = 2;

/** What one of `streams` may take at once, so that there is something for each of them. */
export function fairShareBytes(totalBytes: number, streams: number): number {
  return Math.max(MIN_SHARE_BYTES, Math.floor(totalBytes / MESSAGES_OF_A_STREAM / Math.max(1, streams)));
}

/** A peer that takes a message within this time may be sent a larger one, ms. */
const PROMPT_MS = 1_000;

/**
 * The largest message for a peer that took its last one in `tookMs`. A message on its way is all
 * that shows whether the peer takes anything: to one that is slow but alive, small ones go.
 */
export function pacedBytes(limitBytes: number, lastBytes: number, tookMs: number): number {
  if (tookMs > PROMPT_MS) return Math.max(MIN_SHARE_BYTES, Math.floor(lastBytes / 2));
  return limitBytes * 2;
}
