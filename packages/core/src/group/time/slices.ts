/**
 * Work that is cut into slices: a generator yields wherever it may be interrupted, and goes on in a
 * later turn of the event loop when its slice is used up. It yields "turn" where what it did leaves
 * work to others, who are to do it before the next step. Pieces of work are done one after another,
 * each to its end before the next one begins.
 */
import type { Clock } from "./clock.js";

export type Steps<Result = void> = Generator<undefined | "turn", Result, void>;

/** For pure functions that were written as steps. */
export function toEnd<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Lets everybody else who waits for the event loop have their turn. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class Slices {
  readonly #clock: Clock;
  #queue: Steps[] = [];
  /** Of the queue: those before it are done. */
  #next = 0;
  #isScheduled = false;
  /** How many were begun. */
  number = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param steps must not throw */
  add(steps: Steps): void {
    this.#queue.push(steps);
    this.#schedule();
  }

  /** Resolves to what the steps return, rejects with what they throw. */
  run<Result>(steps: Steps<Result>): Promise<Awaited<Result>> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.add(settling(steps, resolve, reject));
    return promise as Promise<Awaited<Result>>;
  }

  /** Resolves when all that is left is done. */
  async drain(): Promise<void> {
    while (this.#next < this.#queue.length) {
      this.#work(this.#clock.slice());
      if (this.#next < this.#queue.length) await othersTurn();
    }
  }

  /** Does all that is left, at once. */
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
