import { setImmediate } from "node:timers/promises";
import { BufferFullError } from "@logstore/codec";

/** Bytes that are accepted before the event loop gets a turn: about as many as are sent in one. */
const BYTES_A_TURN = 512 * 1024;

/**
 * Records a partition that are buffered while the producer is ready: somewhat more than five
 * batches in flight and an open one have, with records of 100 bytes. More of them would only wait,
 * and cost several hundred bytes of promises each, which the garbage collector moves until they are
 * settled.
 */
const READY_RECORDS_A_PARTITION = 16 * 1024;

/** Limits the records that a producer buffers. */
export class BufferBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;
  #recordCount = 0;
  /** Most records that are buffered while the producer is ready. */
  #readyRecords = Number.POSITIVE_INFINITY;
  #takenThisTurn = 0;
  #awaitingHalf: (() => void)[] = [];
  #awaitingReady: (() => void)[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
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
    this.#readyRecords = count * READY_RECORDS_A_PARTITION;
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
    this.#usedBytes += bytes;
    this.#recordCount++;
    this.#takenThisTurn += bytes;
  }

  release(bytes: number, recordCount: number): void {
    this.#usedBytes -= bytes;
    this.#recordCount -= recordCount;
    if (this.#isHalfFree()) for (const resume of this.#awaitingHalf.splice(0)) resume();
    if (this.isReady) for (const resume of this.#awaitingReady.splice(0)) resume();
  }

  /** Resolves when `bytes` fit, or if they never can. */
  async room(bytes: number): Promise<void> {
    await this.#turn();
    while (bytes <= this.#maxBytes && !this.fits(bytes)) {
      await new Promise<void>((resolve) => this.#awaitingHalf.push(resolve));
    }
  }

  /** Resolves when the producer is ready. */
  async ready(): Promise<void> {
    await this.#turn();
    if (!this.isReady) await new Promise<void>((resolve) => this.#awaitingReady.push(resolve));
  }

  /**
   * Whether at most half of the buffer is in use, and no more records are in it than keep the
   * partitions busy.
   */
  get isReady(): boolean {
    return this.#isHalfFree() && this.#recordCount <= this.#readyRecords;
  }

  #isHalfFree(): boolean {
    return this.#usedBytes <= this.#maxBytes / 2;
  }

  async #turn(): Promise<void> {
    if (!this.isTurnDue) return;
    this.#takenThisTurn = 0;
    await setImmediate();
  }
}
