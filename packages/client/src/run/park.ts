import { sleep } from "@logstore/codec";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import type { Failure } from "./parked-record.js";
import type { RawRecord } from "./partition-work.js";

/** Parks a record. Resolves when it is durable in the parked topic. */
export type Park = (record: RawRecord, failure: Failure) => Promise<void>;

/** Errors that another try may not meet: a parked topic that was deleted is created again. */
const RETRIABLE = ["DELIVERY_TIMEOUT", "BUFFER_FULL", "UNKNOWN_TOPIC", "INCONSISTENT_TOPIC_ID"] as const;

/**
 * Parks a record, and retries while the log is unavailable. Resolves to false where `signal` aborts
 * first: the record is then left to another member.
 *
 * @throws an error that is not retriable
 */
export async function parkWithRetries(
  park: Park,
  record: RawRecord,
  failure: Failure,
  signal: AbortSignal,
): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    try {
      await park(record, failure);
      return true;
    } catch (error) {
      if (!isRetriable(error) && !RETRIABLE.some((code) => hasCode(error, code))) throw error;
      await sleep(retryDelayMs(attempt, error), signal);
      if (signal.aborted) return false;
    }
  }
}
