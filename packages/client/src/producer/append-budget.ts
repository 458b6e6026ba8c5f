import { BufferFullError } from "@logstore/codec";

/** Limits the bytes of a client's appends that are not acknowledged yet. */
export class AppendBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes = 32 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes bytes. A single append may exceed the whole budget.
   *
   * @param ownBytes bytes that the same append has taken already
   *
   * @throws BufferFullError
   */
  take(bytes: number, ownBytes: number): void {
    if (this.#usedBytes > ownBytes && this.#usedBytes + bytes > this.#maxBytes) {
      throw new BufferFullError(
        `appends of ${this.#usedBytes} bytes are not acknowledged yet, and ${bytes} more exceed the client's limit of ` +
          `${this.#maxBytes} bytes: await earlier appends first`,
        { expected: this.#maxBytes, actual: this.#usedBytes + bytes },
      );
    }
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** The bytes that one append has taken of the budget. */
export class Hold {
  readonly #budget: AppendBudget;
  #bytes = 0;
  #isOver = false;

  constructor(budget: AppendBudget) {
    this.#budget = budget;
  }

  /** @throws BufferFullError */
  more(bytes: number): void {
    if (this.#isOver) return;
    this.#budget.take(bytes, this.#bytes);
    this.#bytes += bytes;
  }

  release(): void {
    this.#isOver = true;
    this.#budget.release(this.#bytes);
    this.#bytes = 0;
  }
}
