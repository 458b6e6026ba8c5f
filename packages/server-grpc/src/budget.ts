/** Bounds what is under way on a stream: whoever would make more of it waits until some is done. */
export class Budget {
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  #bytes = 0;
  #messages = 0;
  #waiting: { bytes: number; resolve: () => void } | undefined;

  constructor(maxBytes: number, maxMessages = Number.POSITIVE_INFINITY) {
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
    if (this.#waiting && this.#hasRoom(this.#waiting.bytes)) this.letGo();
  }

  /**
   * Undefined where there is room for a message of so many bytes, else a promise that resolves when there is. A message of any
   * size has room where nothing else is under way. There can be one who waits.
   */
  room(bytes = 1): Promise<void> | undefined {
    if (this.#hasRoom(bytes)) return undefined;
    return new Promise((resolve) => {
      this.#waiting = { bytes, resolve };
    });
  }

  /** Has the one who waits go on, room or not: the stream is over. */
  letGo(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #hasRoom(bytes: number): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#maxMessages && this.#bytes + bytes <= this.#maxBytes;
  }
}
