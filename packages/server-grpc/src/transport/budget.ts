import { callAll } from "@logstore/codec";

/**
 * Limits the messages in flight of a stream: when the limit is reached, the stream waits until some
 * are done.
 */
export class Budget {
  readonly #maxBytes: number;
  readonly #maxMessages: number;
  readonly #shared: SharedBudget;
  #bytes = 0;
  #messages = 0;
  #resume: (() => void) | undefined;
  #leaveShared: () => void = () => {};
  #isClosed = false;

  /** @param shared the limit of all streams together */
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

  /** Returns the bytes of a message that is no longer held. */
  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#shared.giveBack(bytes);
    this.#resumeIfRoom();
  }

  /** A message is done. */
  done(): void {
    this.#messages--;
    this.#resumeIfRoom();
  }

  /**
   * Calls `goOn` when there is room for one more message of any size, on this stream and in total;
   * synchronously if there is. Only one caller may wait.
   */
  whenRoom(goOn: () => void): void {
    if (this.#isClosed) return;
    if (this.#hasRoom) this.#leaveShared = this.#shared.whenRoom(goOn);
    else this.#resume = () => this.whenRoom(goOn);
  }

  /**
   * No more messages follow: a waiting caller is dropped. Messages in flight are returned as usual.
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
 * Limits the messages in flight of many streams and unary calls. Waiting ones proceed in order: one
 * for each message that is done, and all once half of the limit is free, because some may have
 * nothing to send. The length of the next message is unknown, so that each stream may exceed the
 * limit by one.
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

  /** The first `count` waiting callers, each removed right before it is called. */
  *#next(count: number): Iterable<() => void> {
    for (const goOn of [...this.#waiting].slice(0, count)) if (this.#waiting.delete(goOn)) yield goOn;
  }

  /**
   * Calls `goOn` once, when there is room; synchronously if there is. Returns a function that stops
   * waiting.
   */
  whenRoom(goOn: () => void): () => void {
    if (this.#bytes < this.#maxBytes) goOn();
    else this.#waiting.add(goOn);
    return () => void this.#waiting.delete(goOn);
  }
}
