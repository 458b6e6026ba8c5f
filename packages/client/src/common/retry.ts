import type { LogStoreError } from "@logstore/codec";

const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2000;
/**
 * A cluster finds a new owner within moments, and telling that there is none costs a broker
 * nothing.
 */
const MAX_OWNER_BACKOFF_MS = 250;
const RETRIABLE = ["UNAVAILABLE", "NOT_OWNER", "QUOTA_EXCEEDED", "SLOW_CONSUMER"] as const;

/**
 * Pause before attempt `attempt` + 1, ms: doubles from 50 to 2,000, of which up to half is random.
 */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  const most = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt);
  return most * (1 - random / 2);
}

/**
 * Pause after attempt `attempt` failed with `error`, ms: at least as long as the server asked for.
 */
export function retryDelayMs(attempt: number, error: unknown): number {
  const { retryAfterMs = 0, address } = error instanceof Error ? (error as Partial<LogStoreError>) : {};
  if (hasCode(error, "NOT_OWNER")) {
    // The error may name the owner. Two brokers that name each other are not asked in turn
    // endlessly.
    if (attempt === 0 && address !== undefined) return 0;
    return Math.min(backoffMs(attempt), MAX_OWNER_BACKOFF_MS);
  }
  // The value comes from a server and is not trusted.
  return Math.max(backoffMs(attempt), Number.isFinite(retryAfterMs) ? retryAfterMs : 0);
}

/**
 * Whether the same call may succeed later: the server could not be reached, was stopping, had lost
 * the partition or group to another one, or refused the call for a quota; or it ended a stream
 * because the reader was slow, which is allowed.
 */
export function isRetriable(error: unknown): boolean {
  return RETRIABLE.some((code) => hasCode(error, code));
}

/**
 * Compares codes, not classes, because an embedded broker may have loaded another copy of the
 * codec.
 */
export function hasCode(error: unknown, code: LogStoreError["code"]): boolean {
  return error instanceof Error && (error as Partial<LogStoreError>).code === code;
}
