/**
 * Delivery of a batch, for producers and appends: the same bytes are sent until the log responds or
 * the deadline has passed.
 */
import { DeliveryTimeoutError, startTimer } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES, type ProduceRequest } from "@logstore/protocol";
import { copyOfSealed } from "./sealed-copy.js";

/** The partition that a batch is delivered to. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
}

/**
 * Makes the request that sends a sealed batch. The bytes of the first attempt belong to the log
 * from then on, so later attempts send a copy.
 */
export function requestOf(
  request: Omit<ProduceRequest, "batches" | "headroomBytes" | "isOwned">,
  sealed: Uint8Array,
  isFirstTry: boolean,
): ProduceRequest {
  const batches = isFirstTry ? sealed : copyOfSealed(sealed);
  return { ...request, batches, headroomBytes: PRODUCE_HEADROOM_BYTES, isOwned: true };
}

/**
 * Calls `ask` and resolves to its result, or rejects with `late()` at the deadline.
 *
 * @param deadline monotonic ms
 */
export function beforeDeadline<Answer>(
  ask: () => Promise<Answer>,
  deadline: number,
  late: () => DeliveryTimeoutError,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = startTimer(deadline - performance.now(), () => reject(late()));
    ask()
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

/**
 * Makes the error of records that were not acknowledged in time.
 *
 * @param cause error of the last attempt, if any
 *
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
