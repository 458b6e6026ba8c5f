import { BufferFullError } from "@logstore/codec";

/** Bytes that the appends of a client hold until they are answered. */
export class AppendBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes = 32 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /**
   * A single append may be larger than the whole.
   *
   * @param ownBytes what the same append has taken
   * @throws BufferFullError
   */
  take(bytes: number, ownBytes: number): void {
    if (this.#usedBytes > ownBytes && this.#usedBytes + bytes > this.#maxBytes) {
      throw new BufferFullError(
        `appends of ${this.#usedBytes} bytes wait to be acknowledged, ${bytes} more do not fit into the client's ` +
          `${this.#maxBytes}: await earlier appends before making more`,
        { expected: this.#maxBytes, actual: this.#usedBytes + bytes },
      );
    }
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** What one append holds of the budget. */
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
