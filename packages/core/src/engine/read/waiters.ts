import { Alarm } from "@logstore/codec";

interface Waiter {
  /** Monotonic ms. */
  readonly dueAt: number;
  readonly wake: () => void;
}

/** Callers that wait until they are woken, each with a time limit. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();
  /** Number of those that have a time limit. */
  #limited = 0;
  readonly #alarm = new Alarm(() => this.#wakeDue());

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
        if (isLimited && --this.#limited === 0) this.#alarm.rest();
        resolve();
      };
      const waiter = { dueAt: performance.now() + timeoutMs, wake };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", wake);
      if (!isLimited) return;
      this.#limited++;
      this.#alarm.set(waiter.dueAt);
    });
  }

  /** Wakes those whose time is up. */
  #wakeDue(): void {
    const now = performance.now();
    for (const { dueAt, wake } of this.#waiting) {
      if (dueAt <= now) wake();
      else this.#alarm.set(dueAt);
    }
  }
}
