import { startTimer, type Timer } from "@logstore/codec";

/** How long an end waits for everything, ms, unless its caller says so. */
export const CLOSE_TIMEOUT_MS = 10_000;

/**
 * How long the end of a reading takes at most, in stages: application code is given up first, so
 * that time is left to commit, and to leave the group.
 */
export class ClosingTime {
  readonly #drain = new AbortController();
  readonly #finish = new AbortController();
  readonly #leave = new AbortController();
  #timers: Timer[] = [];
  #deadline: number | undefined;

  /** Aborts when what is worked on is not waited for any longer. */
  get drain(): AbortSignal {
    return this.#drain.signal;
  }

  /** Aborts when hooks and commits are not waited for any longer. */
  get finish(): AbortSignal {
    return this.#finish.signal;
  }

  /** Aborts when the group's answer is not waited for any longer. */
  get leave(): AbortSignal {
    return this.#leave.signal;
  }

  get hasBegun(): boolean {
    return this.#deadline !== undefined;
  }

  /** Begins, or ends sooner than it would have. */
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

/** Resolves when `work` is settled or `signal` aborts; rejects as `work` does before that. */
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
