import { startTimer, type Timer } from "@logstore/codec";

/** Default time limit of a close, ms. */
export const CLOSE_TIMEOUT_MS = 10_000;

/**
 * The time limit of a close, in stages: handlers are given up first, so that time is left to commit
 * and to leave the group.
 */
export class ClosingTime {
  readonly #drain = new AbortController();
  readonly #finish = new AbortController();
  readonly #leave = new AbortController();
  #timers: Timer[] = [];
  #deadline: number | undefined;

  /** Aborts the wait for records that are being processed. */
  get drain(): AbortSignal {
    return this.#drain.signal;
  }

  /** Aborts the wait for hooks and commits. */
  get finish(): AbortSignal {
    return this.#finish.signal;
  }

  /** Aborts the wait for the group's response. */
  get leave(): AbortSignal {
    return this.#leave.signal;
  }

  get hasBegun(): boolean {
    return this.#deadline !== undefined;
  }

  /** Starts the time limit. A later call can only shorten it. */
  begin(timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    if (this.#deadline !== undefined && this.#deadline <= deadline) return;
    this.stop();
    this.#deadline = deadline;
    const stages = [
      [this.#drain, timeoutMs - Math.min(1000, timeoutMs / 5)],
      [this.#finish, timeoutMs - Math.min(500, timeoutMs / 10)],
      [this.#leave, timeoutMs],
    ] as const;
    this.#timers = stages.map(([stage, ms]) => startTimer(ms, () => stage.abort()));
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
  }
}

/** Resolves when `work` resolves or `signal` aborts; rejects if `work` rejects before that. */
export function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    work.then(end, (error: unknown) => {
      signal.removeEventListener("abort", end);
      reject(error);
    });
  });
}
