import { callAll } from "@logstore/codec";

/** Bounds what is under way on a stream: whoever would make more of it waits until some is done. */
export class Budget {
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  readonly #shared: SharedBudget;
  #bytes = 0;
  #messages = 0;
  #resume: (() => void) | undefined;
  #leaveShared: () => void = () => {};
  #isClosed = false;

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
   * Calls `goOn` when there is room for one more, of any size, on this stream and in all; at once
   * where there is. One may wait.
   */
  whenRoom(goOn: () => void): void {
    if (this.#isClosed) return;
    if (this.#hasRoom) this.#leaveShared = this.#shared.whenRoom(goOn);
    else this.#resume = () => this.whenRoom(goOn);
  }

  /**
   * Nothing more is to come: whoever waits for room does not any more. What is under way is given
   * back as ever.
   */
  close(): void {
    this.#isClosed = true;
    this.#resume = undefined;
    this.#leaveShared();
  }

  #resumeIfRoom(): void {
    if (!this.#hasRoom) return;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  get #hasRoom(): boolean {
    return this.#messages < this.#maxMessages && this.#bytes < this.#maxBytes;
  }
}

/**
 * Bounds what is under way on many streams, and in many calls of one message. They go on in the
 * order in which they came to wait: one for each message that is done, and all once half of it is
 * free, since who goes on may have nothing to send. How long the next message is nobody knows: each
 * stream may go beyond the bound by one.
 */
export class SharedBudget {
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #waiting = new Set<() => void>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes >= this.#maxBytes) return;
    const count = this.#bytes > this.#maxBytes / 2 ? 1 : this.#waiting.size;
    callAll(this.#next(count));
  }

  /** The first so many of those that wait, each removed right before it is called. */
  *#next(count: number): Iterable<() => void> {
    for (const goOn of [...this.#waiting].slice(0, count)) if (this.#waiting.delete(goOn)) yield goOn;
  }

  /**
   * Calls `goOn`, once, when there is room; at once where there is. Whoever waits no more calls
   * what is returned.
   */
  whenRoom(goOn: () => void): () => void {
    if (this.#bytes < this.#maxBytes) goOn();
    else this.#waiting.add(goOn);
    return () => void this.#waiting.delete(goOn);
  }
}
