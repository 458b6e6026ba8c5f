import type { LogStoreError } from "@logstore/codec";

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2000;

/**
 * How long to wait before try `attempt` + 1, ms: doubles from 50 to 2,000, of which up to half is
 * left to chance.
 */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const most = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt);
  return most * (1 - random / 2);
}

/** How long to wait after try `attempt` ended so, ms: no shorter than the server asked for. */
export function retryDelayMs(attempt: number, error: unknown): number {
  const { retryAfterMs = 0 } = error instanceof Error ? (error as Partial<LogStoreError>) : {};
  // A server may say anything.
  return Math.max(backoffMs(attempt), Number.isFinite(retryAfterMs) ? retryAfterMs : 0);
}

/**
 * Whether the same call may succeed later: the server was not there, was about to leave, or had
 * enough of us for now; or it did not wait any longer for a reader that took nothing, which is the
 * reader's good right.
 */
export function isRetriable(error: unknown): boolean {
  return hasCode(error, "UNAVAILABLE") || hasCode(error, "QUOTA_EXCEEDED") || hasCode(error, "SLOW_CONSUMER");
}

/** Told by the code, not the class: an embedded broker may have come with a codec of its own. */
export function hasCode(error: unknown, code: LogStoreError["code"]): boolean {
  return error instanceof Error && (error as Partial<LogStoreError>).code === code;
}
