import type { BatchSource } from "./batch-source.js";

/**
 * An async iterator without a generator: an item of what was read costs one resolved promise,
 * several times less than with an async generator. `return` takes effect at once, even while `next`
 * is pending. An error ends the iteration.
 */
export class PullIterator<T> implements AsyncGenerator<T, undefined> {
  readonly #source: BatchSource;
  readonly #pull: () => T | undefined;
  /** Number of pending calls of `next`. Each waits for the previous one. */
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  /** @param pull returns the next item of what the source has read; may throw */
  constructor(source: BatchSource, pull: () => T | undefined) {
    this.#source = source;
    this.#pull = pull;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting > 0 || this.#isOver) return this.#nextInTurn();
    try {
      const value = this.#pull();
      return value === undefined ? this.#nextInTurn() : Promise.resolve({ value, done: false });
    } catch (error) {
      this.#isOver = true;
      return Promise.reject(error);
    }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#isOver = true;
    this.#source.stop();
    await this.#last;
    return { value: undefined, done: true };
  }

  async throw(error: unknown): Promise<IteratorResult<T, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Apart from {@link next}, which would otherwise make the objects for a wait at each call. */
  #nextInTurn(): Promise<IteratorResult<T, undefined>> {
    this.#waiting++;
    const result = this.#last.then(() => this.#nextWhenRead());
    // Not before the result is settled: otherwise a later call could overtake it.
    const settled = () => {
      this.#waiting--;
    };
    this.#last = result.then(settled, settled);
    return result;
  }

  async #nextWhenRead(): Promise<IteratorResult<T, undefined>> {
    try {
      while (!this.#isOver) {
        const value = this.#pull();
        if (value !== undefined) return { value, done: false };
        if (!(await this.#source.readOn())) this.#isOver = true;
      }
      return { value: undefined, done: true };
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }
}
