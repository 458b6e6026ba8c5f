/**
 * Spreads calls with large responses, such as the description of a topic of 10,000 partitions, over
 * turns of the event loop, one per turn: a burst of them arrives in one read of a socket, and would
 * otherwise be answered before anything else.
 */
export class Turns {
  #waiting: (() => void)[] = [];
  #next = 0;

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#begin);
    });
  }

  readonly #begin = () => {
    this.#waiting[this.#next++]!();
    if (this.#next < this.#waiting.length) {
      setImmediate(this.#begin);
      return;
    }
    this.#waiting = [];
    this.#next = 0;
  };
}
