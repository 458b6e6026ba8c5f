/**
 * Takes partitions over when they move to this broker from another one. Their first append would do
 * it, and would wait for it: only pauses depend on this.
 */

/** Takeovers at a time: thousands of partitions may move at once, and appends go first. */
const AT_ONCE = 4;

export interface MovingLog {
  /** Whether the partition has moved to this broker since the last call. */
  hasMovedHere(): boolean;
  /** Takes the partition over, unless an append has. */
  takeOver(): Promise<void>;
}

export class EarlyTakeovers {
  readonly #logs: () => Iterable<MovingLog>;
  readonly #moved = new Set<MovingLog>();
  #running = 0;
  #isDue = false;

  /** @param logs those that are open */
  constructor(logs: () => Iterable<MovingLog>) {
    this.#logs = logs;
  }

  /** Called whenever an owner may have changed. */
  ownersChanged(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#look());
  }

  #look(): void {
    this.#isDue = false;
    for (const log of this.#logs()) if (log.hasMovedHere()) this.#moved.add(log);
    while (this.#running < AT_ONCE && this.#moved.size > 0) void this.#takeOver();
  }

  async #takeOver(): Promise<void> {
    this.#running++;
    for (const log of this.#moved) {
      this.#moved.delete(log);
      await log.takeOver().catch(() => {}); // the first append tries again, and tells its caller
    }
    this.#running--;
  }
}
