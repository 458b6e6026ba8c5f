/** Events of one log, or, if it refuses before the first one, of another. It stops at once. */

export interface ForwardedEventsOptions<Event> {
  /** What to iterate over instead, if the first one fails with this error. */
  readonly instead: (error: unknown) => AsyncIterable<Event> | undefined;
  /** The error that the caller gets. */
  readonly toError: (error: unknown) => unknown;
}

export class ForwardedEvents<Event> implements AsyncIterableIterator<Event, undefined> {
  readonly #options: ForwardedEventsOptions<Event>;
  #events: AsyncIterator<Event>;
  #isAtBeginning = true;
  #isOver = false;

  constructor(events: AsyncIterable<Event>, options: ForwardedEventsOptions<Event>) {
    this.#events = events[Symbol.asyncIterator]();
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    try {
      return await this.#next();
    } catch (error) {
      const { instead, toError } = this.#options;
      const other = this.#isAtBeginning && !this.#isOver ? instead(error) : undefined;
      if (other === undefined) throw toError(error);
      this.#isAtBeginning = false;
      this.#events = other[Symbol.asyncIterator]();
      return this.#next().catch((refused) => {
        throw toError(refused);
      });
    }
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#isOver = true;
    await this.#events.return?.();
    return { done: true, value: undefined };
  }

  async #next(): Promise<IteratorResult<Event, undefined>> {
    const result = await this.#events.next();
    this.#isAtBeginning = false;
    return result.done ? { done: true, value: undefined } : result;
  }
}
