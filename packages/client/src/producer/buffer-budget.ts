import { setImmediate } from "node:timers/promises";
import { BufferFullError } from "@logstore/codec";

/** Bytes that are accepted before the event loop gets a turn: about as many as are sent in one. */
const BYTES_A_TURN = 512 * 1024;

/** Default of `batchBytes`. */
export const DEFAULT_BATCH_BYTES = 256 * 1024;

/**
 * Batches a partition that are buffered while the producer is ready: five in flight, which are
 * often acknowledged together, five that are sent then, and those that fill meanwhile. With fewer,
 * the log waits for the producer. More would only wait: they leave the processor's cache before
 * they are sent, and the garbage collector moves what belongs to them.
 */
const READY_BATCHES_A_PARTITION = 12;

/** Limits the records that a producer buffers. */
export class BufferBudget {
  readonly #maxBytes: number;
  /**
   * Bytes that a batch is taken to have. A record that is longer is a batch of its own. Smaller
   * batches count like ones of the default size.
   */
  #batchBytes: number;
  #partitionCount = Number.POSITIVE_INFINITY;
  #usedBytes = 0;
  #takenThisTurn = 0;
  #awaitingReady: (() => void)[] = [];

  constructor(maxBytes: number, batchBytes: number) {
    this.#maxBytes = maxBytes;
    this.#batchBytes = Math.max(batchBytes, DEFAULT_BATCH_BYTES);
  }

  fits(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.#maxBytes;
  }

  /** Whether the event loop should get a turn before more records are accepted. */
  get isTurnDue(): boolean {
    return this.#takenThisTurn >= BYTES_A_TURN;
  }

  /** Tells how many partitions the records are sent to. */
  set partitionCount(count: number) {
    this.#partitionCount = count;
  }

  /**
   * Takes the bytes of one record.
   *
   * @throws BufferFullError
   */
  take(bytes: number): void {
    if (!this.fits(bytes)) {
      throw new BufferFullError(
        `${this.#usedBytes} of ${this.#maxBytes} bytes are not acknowledged yet, and ${bytes} more do not fit: ` +
          "await producer.ready() between sends, or raise maxBufferedBytes",
        { expected: this.#maxBytes, actual: this.#usedBytes + bytes },
      );
    }
    if (bytes > this.#batchBytes) this.#batchBytes = bytes;
    this.#usedBytes += bytes;
    this.#takenThisTurn += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.isReady) for (const resume of this.#awaitingReady.splice(0)) resume();
  }

  /** Resolves when the producer is ready and `bytes` fit, or if they never can. */
  async room(bytes: number): Promise<void> {
    await this.ready();
    while (bytes <= this.#maxBytes && !this.fits(bytes)) await this.#released();
  }

  /** Resolves when the producer is ready. */
  async ready(): Promise<void> {
    if (!this.isReady) await this.#released();
  }

  /**
   * Whether at most half of the buffer is in use, and no more than keeps the partitions busy.
   */
  get isReady(): boolean {
    const busyBytes = this.#partitionCount * READY_BATCHES_A_PARTITION * this.#batchBytes;
    return this.#usedBytes <= Math.min(this.#maxBytes / 2, busyBytes);
  }

  /** Lets the event loop run if it should. */
  async turn(): Promise<void> {
    if (!this.isTurnDue) return;
    this.#takenThisTurn = 0;
    await setImmediate();
  }

  /** Resolves when bytes are released and the producer is ready. */
  #released(): Promise<void> {
    return new Promise((resolve) => this.#awaitingReady.push(resolve));
  }
}
