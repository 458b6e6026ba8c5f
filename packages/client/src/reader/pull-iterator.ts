import type { LoopBody } from "./loop-body.js";
import type { Merge } from "./merge.js";

/** What an iteration needs beyond its items, where leaving it takes time. */
export interface Leaving {
  /** Is waited for when the iteration is left before its end. */
  readonly left: () => Promise<void>;
  readonly body: LoopBody;
}

/**
 * An async iterator by hand: what is there already costs one resolved promise, several times less
 * than an async generator. An error ends the iteration.
 */
export class PullIterator<T extends object> implements AsyncIterableIterator<T, undefined> {
  readonly #merge: Merge;
  readonly #pull: () => T | Promise<T | undefined> | undefined;
  readonly #leaving: Leaving | undefined;
  /** Until the first value is handed out. */
  #body: LoopBody | undefined;
  #waiting = 0;
  #hasFailed = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param pull the next item if there is one already; may throw */
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
   * After an error the iteration is over, and `for await` does not call this. V8's
   * `Array.fromAsync` does, and calls it again, without end, if it rejects.
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
   * A loop reads the value where its body begins: a getter of the first value tells which function
   * that is.
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

  /** Whoever calls next() again without waiting is answered in the order of the calls. */
  #nextInTurn(first?: Promise<T | undefined>): Promise<IteratorResult<T, undefined>> {
    this.#waiting++;
    const result = this.#last.then(() => this.#nextWhenThere(first));
    this.#last = result.catch(() => {});
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
    } finally {
      this.#waiting--;
    }
  }
}
