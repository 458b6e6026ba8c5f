import type { LoopBody } from "./loop-body.js";
import type { Merge } from "./merge.js";

/** What an iteration does when it is left, if that takes time. */
export interface Leaving {
  /** Called when the iteration is left before its end, and awaited. */
  readonly left: () => Promise<void>;
  readonly body: LoopBody;
}

/**
 * An async iterator without a generator: an item that is available costs one resolved promise,
 * several times less than with an async generator. An error ends the iteration.
 */
export class PullIterator<T extends object> implements AsyncIterableIterator<T, undefined> {
  readonly #merge: Merge;
  readonly #pull: () => T | Promise<T | undefined> | undefined;
  readonly #leaving: Leaving | undefined;
  /** Set until the first value is delivered. */
  #body: LoopBody | undefined;
  #waiting = 0;
  #hasFailed = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param pull returns the next item if one is available; may throw */
  constructor(merge: Merge, pull: () => T | Promise<T | undefined> | undefined, leaving?: Leaving) {
    this.#merge = merge;
    this.#pull = pull;
    this.#leaving = leaving;
    this.#body = leaving?.body;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting > 0) return this.#nextInTurn();
    try {
      const item = this.#pull();
      if (item === undefined) return this.#nextInTurn();
      if (item instanceof Promise) return this.#nextInTurn(item);
      return Promise.resolve(this.#body === undefined ? { done: false, value: item } : this.#firstResult(item));
    } catch (error) {
      this.#fail();
      return Promise.reject(error);
    }
  }

  /**
   * After an error the iteration is over, and `for await` does not call this. `Array.fromAsync` of
   * V8 does, and calls it again without end if it rejects.
   */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#merge.end();
    if (!this.#hasFailed) await this.#leaving?.left();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * A loop reads the value of the first result where its body begins, so a getter recognizes the
   * function that contains the loop.
   */
  #firstResult(value: T): IteratorResult<T, undefined> {
    const body = this.#body;
    this.#body = undefined;
    return {
      done: false,
      get value() {
        body?.enter();
        return value;
      },
    };
  }

  #fail(): void {
    this.#hasFailed = true;
    this.#merge.end();
  }

  /** Calls of next() that do not wait for the one before are answered in order. */
  #nextInTurn(first?: Promise<T | undefined>): Promise<IteratorResult<T, undefined>> {
    this.#waiting++;
    const result = this.#last.then(() => this.#nextWhenThere(first));
    // Not before the result is settled: otherwise a later call could overtake it.
    const settled = () => {
      this.#waiting--;
    };
    this.#last = result.then(settled, settled);
    return result;
  }

  async #nextWhenThere(first: Promise<T | undefined> | undefined): Promise<IteratorResult<T, undefined>> {
    try {
      for (let pulled = first ?? this.#pull(); ; pulled = this.#pull()) {
        const item = await pulled;
        if (item !== undefined)
          return this.#body === undefined ? { done: false, value: item } : this.#firstResult(item);
        if (pulled !== undefined) continue;
        if (!(await this.#merge.wait())) return { done: true, value: undefined };
      }
    } catch (error) {
      this.#fail();
      throw error;
    }
  }
}
