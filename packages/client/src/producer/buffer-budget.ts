import { setImmediate } from "node:timers/promises";
import { BufferFullError } from "@logstore/codec";

/** Bytes that are accepted before the event loop gets a turn: about as many as are sent in one. */
const BYTES_A_TURN = 512 * 1024;

/** Limits the bytes of records that a producer buffers. */
export class BufferBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;
  #takenThisTurn = 0;
  #waiting: (() => void)[] = [];

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

  /** @throws BufferFullError */
  take(bytes: number): void {
    if (!this.fits(bytes)) {
      throw new BufferFullError(
        `${this.#usedBytes} of ${this.#maxBytes} bytes are not acknowledged yet, and ${bytes} more do not fit: ` +
          "await producer.ready() between sends, or raise maxBufferedBytes",
        { expected: this.#maxBytes, actual: this.#usedBytes + bytes },
      );
    }
    this.#usedBytes += bytes;
    this.#takenThisTurn += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.isReady) for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Resolves when `bytes` fit, or if they never can. */
  async room(bytes: number): Promise<void> {
    await this.#turn();
    while (bytes <= this.#maxBytes && !this.fits(bytes)) await this.#less();
  }

  /** Resolves when at most half of the buffer is in use. */
  async ready(): Promise<void> {
    await this.#turn();
    if (!this.isReady) await this.#less();
  }

  /** Whether at most half of the buffer is in use. */
  get isReady(): boolean {
    return this.#usedBytes <= this.#maxBytes / 2;
  }

  async #turn(): Promise<void> {
    if (!this.isTurnDue) return;
    this.#takenThisTurn = 0;
    await setImmediate();
  }

  #less(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
