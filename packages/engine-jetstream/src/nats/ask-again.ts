/** Repeats a request to NATS that is not answered. */
import { setTimeout as sleep } from "node:timers/promises";
import { isUnanswered } from "./failures.js";

/**
 * How long the first attempt may take of a request that is made again until it succeeds, in ms. A
 * request that was sent to a leader that has died is never answered, and the next leader is elected
 * 4 to 9 s later: what is asked anew every 1.5 s hears from it soon, while a leader that is merely
 * busy has answered before.
 */
export const FIRST_ATTEMPT_MS = 1_500;

const PAUSE_MS = 100;

/**
 * Makes a request until it is answered, for `requestTimeoutMs` in all. A stream that was created a
 * moment ago, or has no leader, drops requests: they are never answered, and the next one may be.
 *
 * @param ask makes the request once, in {@link FIRST_ATTEMPT_MS} at most; it may have been made
 * before
 */
export async function askAgain<T>(requestTimeoutMs: number, ask: () => Promise<T>): Promise<T> {
  const lastStart = performance.now() + requestTimeoutMs - FIRST_ATTEMPT_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error) || performance.now() + PAUSE_MS > lastStart) throw error;
    }
    await sleep(PAUSE_MS);
  }
}
