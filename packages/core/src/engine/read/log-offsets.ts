/** A partition's offsets, and those who wait for the high watermark to move. */

import { startTimer } from "@logstore/codec";
export class LogOffsets {
  #logStart: number;
  #logEnd: number;
  #highWatermark: number;
  #flushedUpTo: number;
  readonly #waiters = new Set<() => void>();

  /** @param logEnd everything below it is durable, and may be read */
  constructor(logStart: number, logEnd: number) {
    this.#logStart = logStart;
    this.#logEnd = logEnd;
    this.#highWatermark = logEnd;
    this.#flushedUpTo = logEnd;
  }

  /** The first offset that there is. */
  get logStart(): number {
    return this.#logStart;
  }

  /** One past the last record written. */
  get logEnd(): number {
    return this.#logEnd;
  }

  /** One past the last record that may be read: its ack's durability is reached. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Every offset below this one is durable. */
  get flushedUpTo(): number {
    return this.#flushedUpTo;
  }

  wrote(nextOffset: number): void {
    this.#logEnd = nextOffset;
  }

  flushed(upTo: number): void {
    this.#flushedUpTo = Math.max(this.#flushedUpTo, upTo);
  }

  /** Records before `offset` are deleted. */
  startAt(offset: number): void {
    this.#logStart = Math.max(this.#logStart, offset);
    this.wakeAll();
  }

  /** Everything written may be read: wakes whoever waits. */
  publish(): void {
    if (this.#highWatermark === this.#logEnd) return;
    this.#highWatermark = this.#logEnd;
    this.wakeAll();
  }

  wakeAll(): void {
    for (const wake of this.#waiters) wake();
  }

  /**
   * Resolves when the high watermark moves, {@link wakeAll} is called, `signal` aborts or time is
   * up; the caller looks which.
   */
  change(signal: AbortSignal | undefined, timeoutMs: number): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake);
        signal?.removeEventListener("abort", wake);
        timer.cancel();
        resolve();
      };
      const timer = startTimer(timeoutMs, wake);
      this.#waiters.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }
}
