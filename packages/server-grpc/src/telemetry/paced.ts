import { startTimer } from "@logstore/codec";

export interface PacedOptions {
  /** ms from the end of one run to the earliest start of the next. */
  readonly pauseMs: number;
  /**
   * A run that took long is followed by a pause of so many times its duration: it takes a bounded
   * part of the process.
   */
  readonly pauseFactor: number;
  /** ms that a caller waits for a run before it gets the value of the one before. */
  readonly waitMs: number;
}

export interface PacedValue<T> {
  readonly value: T;
  /** ms since the run that made it ended. */
  readonly ageMs: number;
}

/**
 * A value that is expensive to make: it is made when somebody asks, one run at a time, with pauses
 * between.
 */
export class Paced<T> {
  readonly #make: () => Promise<T>;
  readonly #options: PacedOptions;
  #running: Promise<void> | undefined;
  #latest: { readonly value: T; readonly at: number } | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(make: () => Promise<T>, options: PacedOptions) {
    this.#make = make;
    this.#options = options;
  }

  /**
   * The newest value there is within `waitMs`; undefined while there was none yet, or the last run
   * failed. Never rejects.
   */
  async get(): Promise<PacedValue<T> | undefined> {
    if (this.#running === undefined && performance.now() >= this.#nextAt) this.#running = this.#run();
    if (this.#running !== undefined) await this.#within(this.#running);
    return this.#latest && { value: this.#latest.value, ageMs: performance.now() - this.#latest.at };
  }

  async #run(): Promise<void> {
    const { pauseMs, pauseFactor } = this.#options;
    const start = performance.now();
    try {
      const value = await this.#make();
      this.#latest = { value, at: performance.now() };
    } catch {
      this.#latest = undefined; // an old value would hide that there is none now
    }
    const end = performance.now();
    this.#nextAt = end + Math.max(pauseMs, pauseFactor * (end - start));
    this.#running = undefined;
  }

  async #within(running: Promise<void>): Promise<void> {
    const timeUp = Promise.withResolvers<void>();
    const timer = startTimer(this.#options.waitMs, timeUp.resolve, { keepsAlive: false });
    await Promise.race([running, timeUp.promise]);
    timer.cancel();
  }
}
