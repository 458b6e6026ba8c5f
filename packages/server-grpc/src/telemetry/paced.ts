import { startTimer } from "@logstore/codec";

export interface PacedOptions {
  /** Shortest time from the end of a run to the start of the next one, in ms. */
  readonly pauseMs: number;
  /**
   * A run is followed by a pause of at least this many times its duration, so that runs take a
   * limited part of the process's time.
   */
  readonly pauseFactor: number;
  /** How long a caller waits for a run before it gets the previous value, in ms. */
  readonly waitMs: number;
}

export interface PacedValue<T> {
  readonly value: T;
  /** Time since the run that computed it ended, in ms. */
  readonly ageMs: number;
}

/** An expensive value that is computed on request, by one run at a time, with pauses in between. */
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
   * Returns the newest value available within `waitMs`; undefined if there is none yet, or the last
   * run failed. Never rejects.
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
      this.#latest = undefined; // an old value would hide the failure
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
