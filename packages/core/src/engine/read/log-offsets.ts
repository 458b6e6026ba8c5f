import { Waiters } from "./waiters.js";

const NO_CUTS: readonly number[] = [];

/** The offsets of a partition, and the callers that wait for the high watermark. */
export class LogOffsets {
  #logStart: number;
  #logEnd: number;
  #highWatermark: number;
  #flushedUpTo: number;
  #waiters: Waiters | undefined;
  /** Log ends. */
  #cuts: readonly number[] = NO_CUTS;

  /** @param logEnd all records below it are durable and may be read */
  constructor(logStart: number, logEnd: number) {
    this.#logStart = logStart;
    this.#logEnd = logEnd;
    this.#highWatermark = logEnd;
    this.#flushedUpTo = logEnd;
  }

  /** The offset of the first record. */
  get logStart(): number {
    return this.#logStart;
  }

  /** Offset after the last record written. */
  get logEnd(): number {
    return this.#logEnd;
  }

  /**
   * Offset after the last record that may be read, which is that of its acknowledged durability.
   */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Every record below this offset is durable. */
  get flushedUpTo(): number {
    return this.#flushedUpTo;
  }

  wrote(nextOffset: number): void {
    this.#logEnd = nextOffset;
  }

  flushed(upTo: number): void {
    this.#flushedUpTo = Math.max(this.#flushedUpTo, upTo);
  }

  /** Records before `offset` have been deleted. */
  startAt(offset: number): void {
    this.#logStart = Math.max(this.#logStart, offset);
    this.wakeAll();
  }

  /** The engine has lost records that could be read: the log ends before them now. */
  cut(logStart: number, logEnd: number): void {
    this.#logStart = logStart;
    this.#logEnd = logEnd;
    this.#highWatermark = logEnd;
    this.#flushedUpTo = Math.min(this.#flushedUpTo, logEnd);
    this.#cuts = [...this.#cuts, logEnd];
    this.wakeAll();
  }

  /** How often the log was {@link cut}. */
  get timesCut(): number {
    return this.#cuts.length;
  }

  /** Whether the log was {@link cut} before `offset`, not counting the first `times` times. */
  wasCutBefore(offset: number, times = 0): boolean {
    return this.#cuts.slice(times).some((logEnd) => logEnd < offset);
  }

  /** Everything written may be read from now on: wakes waiting callers. */
  publish(): void {
    if (this.#highWatermark === this.#logEnd) return;
    this.#highWatermark = this.#logEnd;
    this.wakeAll();
  }

  wakeAll(): void {
    this.#waiters?.wakeAll();
  }

  /**
   * Resolves when the high watermark moves, {@link wakeAll} is called, `signal` aborts or the time
   * is up; the caller checks which.
   */
  change(signal: AbortSignal | undefined, timeoutMs: number): Promise<void> {
    this.#waiters ??= new Waiters();
    return this.#waiters.wait(signal, timeoutMs);
  }
}
