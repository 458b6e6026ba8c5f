import { setImmediate } from "node:timers/promises";
import { BufferFullError } from "@logstore/codec";

/** So much may be taken in before the event loop gets a turn: about what is sent in one. */
const BYTES_A_TURN = 512 * 1024;

/** How many bytes of records a producer holds, and who waits for some of them to leave. */
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

  /** Whether so much was taken in that it is time to let something be sent. */
  get isTurnDue(): boolean {
    return this.#takenThisTurn >= BYTES_A_TURN;
  }

  /** @throws BufferFullError */
  take(bytes: number): void {
    if (!this.fits(bytes)) {
      throw new BufferFullError(
        `${this.#usedBytes} of ${this.#maxBytes} bytes wait to be acknowledged, and ${bytes} more do not fit: ` +
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

  /** Resolves when `bytes` fit, or never will. */
  async room(bytes: number): Promise<void> {
    await this.#turn();
    while (bytes <= this.#maxBytes && !this.fits(bytes)) await this.#less();
  }

  /** Resolves when at most half is used. */
  async ready(): Promise<void> {
    await this.#turn();
    if (!this.isReady) await this.#less();
  }

  /** At most half is used. */
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
