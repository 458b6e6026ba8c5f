/** How much data goes into one message: policies, as pure functions. Sizes are in bytes. */

/** Smaller messages are inefficient: a reader gets at least this much at a time, or waits. */
export const MIN_SHARE_BYTES = 64 * 1024;

/** A stream holds one message that is being sent, and one that was read ahead. */
const MESSAGES_OF_A_STREAM = 2;

/** The share of each of `streams` streams in the total. */
export function fairShareBytes(totalBytes: number, streams: number): number {
  return Math.max(MIN_SHARE_BYTES, Math.floor(totalBytes / MESSAGES_OF_A_STREAM / Math.max(1, streams)));
}

/** A peer that accepts a message within this time may be sent a larger one, in ms. */
const PROMPT_MS = 1_000;

/**
 * The largest message for a peer that accepted the previous one in `tookMs`. Only a completed
 * message shows that a peer is reading, so a peer that is slow but alive is sent small ones.
 */
export function pacedBytes(limitBytes: number, lastBytes: number, tookMs: number): number {
  if (tookMs > PROMPT_MS) return Math.max(MIN_SHARE_BYTES, Math.floor(lastBytes / 2));
  return limitBytes * 2;
}
