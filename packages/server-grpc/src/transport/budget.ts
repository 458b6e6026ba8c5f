/** Bounds what is under way on a stream: whoever would make more of it waits until some is done. */
export class Budget {
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  readonly #shared: SharedBudget;
  #bytes = 0;
  #messages = 0;
  #resume: (() => void) | undefined;

  /** @param shared what all streams together may have under way */
  constructor(maxBytes: number, maxMessages: number, shared: SharedBudget) {
    this.#maxBytes = maxBytes;
    this.#maxMessages = maxMessages;
    this.#shared = shared;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
    this.#messages++;
    this.#shared.take(bytes);
  }

  /** A message's bytes are not held any more. */
  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#shared.giveBack(bytes);
    this.#resumeIfRoom();
  }

  /** A message is done with. */
  done(): void {
    this.#messages--;
    this.#resumeIfRoom();
  }

  /**
   * Undefined where there is room for one more, of any size; else a promise that resolves when there is, on this stream and in
   * all. One may wait.
   */
  room(): Promise<void> | undefined {
    if (this.#hasRoom) return this.#shared.room();
    return new Promise<void>((resolve) => {
      this.#resume = resolve;
    }).then(() => this.#shared.room());
  }

  #resumeIfRoom(): void {
    if (!this.#hasRoom) return;
    this.#resume?.();
    this.#resume = undefined;
  }

  get #hasRoom(): boolean {
    return this.#messages < this.#maxMessages && this.#bytes < this.#maxBytes;
  }
}

/**
 * Bounds what is under way on many streams. They go on in the order in which they came to wait: one for each message that is done, and
 * all once half of it is free, since who goes on may have nothing to send. How long the next message is nobody knows: each
 * stream may go beyond the bound by one.
 */
export class SharedBudget {
  readonly #maxBytes: number;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes >= this.#maxBytes) return;
    const count = this.#bytes > this.#maxBytes / 2 ? 1 : this.#waiting.length;
    for (const goOn of this.#waiting.splice(0, count)) goOn();
  }

  room(): Promise<void> | undefined {
    if (this.#bytes < this.#maxBytes) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
