/**
 * Callers that wait until they are woken, each with a time limit. A wait seldom lasts until its
 * limit, so one timer serves all of them and stays when they are woken: a timer for each would be
 * the larger part of what a wait costs.
 */

import { type OneShotTimer, startTimer } from "@logstore/codec";

interface Waiter {
  /** Monotonic ms. */
  readonly dueAt: number;
  readonly wake: () => void;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();
  /** Number of those that have a time limit. */
  #limited = 0;
  #timer: OneShotTimer | undefined;
  /** When the timer fires. */
  #firesAt = Number.POSITIVE_INFINITY;

  wakeAll(): void {
    for (const { wake } of this.#waiting) wake();
  }

  /**
   * Resolves when it is woken, `signal` aborts or the time is up; the caller checks which. A wait
   * with a time limit keeps the process alive.
   */
  wait(signal: AbortSignal | undefined, timeoutMs: number): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const isLimited = timeoutMs !== Number.POSITIVE_INFINITY;
    return new Promise((resolve) => {
      const wake = () => {
        if (!this.#waiting.delete(waiter)) return;
        signal?.removeEventListener("abort", wake);
        if (isLimited && --this.#limited === 0) this.#timer?.keepAlive(false);
        resolve();
      };
      const waiter = { dueAt: performance.now() + timeoutMs, wake };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", wake);
      if (!isLimited) return;
      this.#limited++;
      this.#arm(waiter.dueAt);
    });
  }

  #arm(dueAt: number): void {
    if (dueAt >= this.#firesAt) {
      this.#timer?.keepAlive(true);
      return;
    }
    this.#timer?.cancel();
    this.#firesAt = dueAt;
    this.#timer = startTimer(Math.ceil(dueAt - performance.now()), () => this.#fired());
  }

  /** Wakes those whose time is up, and sets the timer for the others. */
  #fired(): void {
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    let nextDueAt = Number.POSITIVE_INFINITY;
    for (const { dueAt, wake } of this.#waiting) {
      if (dueAt <= now) wake();
      else nextDueAt = Math.min(nextDueAt, dueAt);
    }
    if (nextDueAt < Number.POSITIVE_INFINITY) this.#arm(nextDueAt);
  }
}
