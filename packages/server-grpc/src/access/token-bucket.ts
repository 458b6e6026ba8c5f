/**
 * A quota of so much a second. What is taken may go beyond what is there: the size of a message is
 * known only when it has come. Nothing more is then allowed until the debt is paid.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #capacity: number;
  readonly #now: () => number;
  #level: number;
  #filledAt: number;

  /** @param now ms, of a clock that never goes back */
  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    // A second's worth; at least one whole thing, where things are counted.
    this.#capacity = Math.max(1, perSecond);
    this.#now = now;
    this.#level = this.#capacity;
    this.#filledAt = now();
  }

  /** Negative amounts are given back. */
  take(amount: number): void {
    this.#fill();
    this.#level -= amount;
  }

  /** How much is there; negative where there is a debt. */
  get level(): number {
    this.#fill();
    return this.#level;
  }

  /** ms until there is so much; 0 where there is. By default: until there is anything. */
  waitMs(amount = Number.EPSILON): number {
    this.#fill();
    return Math.max(0, Math.ceil(((amount - this.#level) / this.#perSecond) * 1_000));
  }

  #fill(): void {
    const now = this.#now();
    this.#level = Math.min(this.#capacity, this.#level + ((now - this.#filledAt) / 1_000) * this.#perSecond);
    this.#filledAt = now;
  }
}
