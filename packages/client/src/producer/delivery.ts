/**
 * How a batch is delivered, for producers and appends: it is sent until the log has answered or
 * its time is over, always the same bytes.
 */
import { DeliveryTimeoutError, startTimer, type Timer } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES, type ProduceRequest } from "@logstore/protocol";
import { copyOfSealed } from "./sealed-copy.js";

/** The partition that a batch is delivered to. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
}

/**
 * The request that sends a sealed batch. The bytes of the first try belong to the log from then on:
 * later tries send a copy of them.
 */
export function requestOf(
  request: Omit<ProduceRequest, "batches" | "headroomBytes">,
  sealed: Uint8Array,
  isFirstTry: boolean,
): ProduceRequest {
  const batches = isFirstTry ? sealed : copyOfSealed(sealed);
  return { ...request, batches, headroomBytes: PRODUCE_HEADROOM_BYTES };
}

/**
 * Asks, and resolves to the answer unless it does not come before the deadline.
 *
 * @param deadline monotonic ms
 * @param begun gets the timer and what ends the wait early
 */
export function beforeDeadline<Answer>(
  ask: () => Promise<Answer>,
  deadline: number,
  late: () => DeliveryTimeoutError,
  begun?: (timer: Timer, reject: (error: unknown) => void) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = startTimer(deadline - performance.now(), () => reject(late()));
    begun?.(timer, reject);
    ask()
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

/**
 * The error of records whose time is over.
 *
 * @param cause why the last try failed, if one did
 * @param outcome what is known of the records
 */
export function deliveryTimeout(
  { topic, partition }: Place,
  timeoutMs: number,
  cause: unknown,
  outcome = "the records may or may not have been appended",
): DeliveryTimeoutError {
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  return new DeliveryTimeoutError(
    `no acknowledgement within ${timeoutMs} ms${reason}: ${outcome}`,
    { topic, partition },
    { cause },
  );
}
