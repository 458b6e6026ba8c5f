/**
 * A rate limit. A single take may exceed what is available, because the size of a message is known
 * only after it has arrived. Nothing more is allowed then until the debt is paid.
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
    // One second's worth, but at least 1 for things that are counted.
    this.#capacity = Math.max(1, perSecond);
    this.#now = now;
    this.#level = this.#capacity;
    this.#filledAt = now();
  }

  /** Negative amounts are credited. */
  take(amount: number): void {
    this.#fill();
    this.#level -= amount;
  }

  /** The amount available; negative if there is a debt. */
  get level(): number {
    this.#fill();
    return this.#level;
  }

  /** Time until the amount is available, in ms; 0 if it is. Default: until anything is. */
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
