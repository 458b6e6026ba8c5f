/** Repeats a request to NATS that is not answered, or that nobody hears. */
import { setTimeout as sleep } from "node:timers/promises";
import { startTimer, type Timer } from "@logstore/codec";
import { errors } from "@nats-io/transport-node";
import { isUnanswered, isUnheard } from "./failures.js";

/**
 * How long a request that is made again until it succeeds waits for its answer before it is made
 * again, in ms. A request that was sent to a leader that has died is never answered, and the next
 * leader is elected 4 to 9 s later: what is asked anew every 1.5 s hears from it soon, while a
 * leader that is merely busy has answered before.
 */
export const FIRST_ATTEMPT_MS = 1_500;

/** Between a refusal, where there is no leader to answer, and the next attempt. */
const PAUSE_MS = 100;

/**
 * Makes a request again and again until one attempt is answered, for `requestTimeoutMs` in all. A
 * stream that was created a moment ago, or has no leader, drops requests: they are never answered,
 * and the next one may be. The attempts that were made before are still listened to, so that a
 * leader that takes longer than one attempt is heard, too.
 *
 * @param ask makes the request once, with a timeout of `requestTimeoutMs`; it must not matter that
 * it is made several times
 * @param drop what becomes of an answer that comes after another one
 */
export function askAgain<T>(
  requestTimeoutMs: number,
  ask: () => Promise<T>,
  drop: (answer: T) => void = () => {},
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let isOver = false;
  let next: Timer | undefined;
  let failure: unknown;
  const finish = (settle: () => void) => {
    isOver = true;
    next?.cancel();
    timeout.cancel();
    settle();
  };
  const attempt = async () => {
    next = startTimer(FIRST_ATTEMPT_MS, attempt);
    try {
      const answer = await ask();
      if (isOver) drop(answer);
      else finish(() => resolve(answer));
    } catch (error) {
      if (isOver) return;
      if (!isUnanswered(error)) return finish(() => reject(error));
      failure = error;
      next.cancel();
      next = startTimer(PAUSE_MS, attempt);
    }
  };
  const timeout = startTimer(requestTimeoutMs, () => finish(() => reject(failure ?? new errors.TimeoutError())));
  void attempt();
  return promise;
}

/**
 * Makes a request again while nobody hears it, for `timeoutMs` in all. A request that may have been
 * heard is not made again: this is for those that must not be made twice.
 *
 * @param ask makes the request once, and waits so many ms for its answer
 */
export async function untilHeard<T>(timeoutMs: number, ask: (timeoutMs: number) => Promise<T>): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (let leftMs = timeoutMs; ; leftMs = end - performance.now()) {
    try {
      return await ask(leftMs);
    } catch (error) {
      if (!isUnheard(error) || performance.now() + PAUSE_MS >= end) throw error;
    }
    await sleep(PAUSE_MS);
  }
}
