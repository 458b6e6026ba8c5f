/**
 * Work in time slices: a generator yields wherever it may be interrupted, and continues in a later
 * turn of the event loop once its slice is used up. It yields "turn" if it has started other work
 * that should run before the next step. Tasks run one after another, each to completion before the
 * next one starts.
 */
import type { Clock } from "./clock.js";

/** Work that may be interrupted at each yield. */
export type Steps<Result = void> = Generator<undefined | "turn", Result, void>;

/** Runs a pure function that is written as steps. */
export function toEnd<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Lets all other pending work of the event loop run. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class Slices {
  readonly #clock: Clock;
  #queue: Steps[] = [];
  /** Index of the current task; those before it are done. */
  #next = 0;
  #isScheduled = false;
  /** Number of slices started. */
  number = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param steps must not throw */
  add(steps: Steps): void {
    this.#queue.push(steps);
    this.#schedule();
  }

  /** Resolves to the result of the steps, or rejects with their error. */
  run<Result>(steps: Steps<Result>): Promise<Awaited<Result>> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.add(settling(steps, resolve, reject));
    return promise as Promise<Awaited<Result>>;
  }

  /** Resolves when all remaining tasks are done. */
  async drain(): Promise<void> {
    while (this.#next < this.#queue.length) {
      this.#work(this.#clock.slice());
      if (this.#next < this.#queue.length) await othersTurn();
    }
  }

  /** Runs all remaining tasks synchronously. */
  finish(): void {
    while (this.#next < this.#queue.length) this.#work(() => false);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#next === this.#queue.length) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      this.#work(this.#clock.slice());
      this.#schedule();
    });
  }

  #work(isOver: () => boolean): void {
    this.number++;
    while (this.#next < this.#queue.length) {
      const { done, value } = this.#queue[this.#next]!.next();
      if (done) this.#next++;
      if (isOver() || value === "turn") break;
    }
    if (this.#next < this.#queue.length && this.#next < 1000) return;
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
  }
}

function* settling<Result>(
  steps: Steps<Result>,
  resolve: (result: Result) => void,
  reject: (error: unknown) => void,
): Steps {
  try {
    resolve(yield* steps);
  } catch (error) {
    reject(error);
  }
}
