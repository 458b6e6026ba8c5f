/**
 * Data messages that were written or read last, of all partitions of an engine. A reader near the
 * end of a log finds them here, and so does one that takes a message in several chunks.
 */
import type { DataMessage } from "./data-message.js";

export class MessageCache {
  readonly #maxBytes: number;
  /** By partition and base offset; least recently used first. */
  readonly #messages = new Map<string, DataMessage>();
  #bytes = 0;
  /** Of reads ahead that are in progress. */
  #reservedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(stream: string, baseOffset: number): DataMessage | undefined {
    const key = `${stream} ${baseOffset}`;
    const message = this.#messages.get(key);
    if (message === undefined) return undefined;
    this.#messages.delete(key);
    this.#messages.set(key, message);
    return message;
  }

  add(stream: string, message: DataMessage): void {
    const key = `${stream} ${message.baseOffset}`;
    this.#remove(key);
    this.#messages.set(key, message);
    this.#bytes += message.body.length;
    this.#shrink();
  }

  /**
   * Takes room for messages that are about to be read, until the returned function is called.
   * Undefined if more than half of the memory would be taken in this way.
   */
  reserve(bytes: number): (() => void) | undefined {
    if (this.#reservedBytes + bytes > this.#maxBytes / 2) return undefined;
    this.#reservedBytes += bytes;
    this.#shrink();
    return () => {
      this.#reservedBytes -= bytes;
    };
  }

  #shrink(): void {
    const maxBytes = this.#maxBytes - this.#reservedBytes;
    while (this.#bytes > maxBytes && this.#messages.size > 1) this.#remove(this.#messages.keys().next().value!);
  }

  #remove(key: string): void {
    const message = this.#messages.get(key);
    if (message === undefined) return;
    this.#messages.delete(key);
    this.#bytes -= message.body.length;
  }
}
