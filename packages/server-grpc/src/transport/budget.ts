/** Bounds what is under way on a stream: whoever would make more of it waits until some is done. */
export class Budget {
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  #bytes = 0;
  #messages = 0;
  #resume: (() => void) | undefined;

  constructor(maxBytes: number, maxMessages: number) {
    this.#maxBytes = maxBytes;
    this.#maxMessages = maxMessages;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
    this.#messages++;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#messages--;
    if (!this.#hasRoom) return;
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Undefined where there is room for one more, of any size; else a promise that resolves when there is. One may wait. */
  room(): Promise<void> | undefined {
    if (this.#hasRoom) return undefined;
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  get #hasRoom(): boolean {
    return this.#messages < this.#maxMessages && this.#bytes < this.#maxBytes;
  }
}
