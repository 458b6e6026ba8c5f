/**
 * Reads the messages that a reader needs next, so that NATS works while the former ones are sent.
 * They wait in the memory that all readers share: a reader that stops holds none of it, and
 * messages that other readers displace are read again, one after another.
 */
import type { DataMessage, DataPlace } from "./data-message.js";
import { AHEAD_BYTES, type MessageSource } from "./message-source.js";

export class MessagesAhead {
  readonly #source: MessageSource;
  /** The last message that was read, ahead or not. */
  #last: DataPlace | undefined;
  #reading: Promise<void> | undefined;

  constructor(source: MessageSource) {
    this.#source = source;
  }

  /** Waits for the message that begins at an offset, if it is being read. */
  async arrived(offset: number): Promise<void> {
    if (this.#source.cached(offset) === undefined) await this.#reading;
  }

  /**
   * Reads what follows, unless enough of it was read or is being read.
   *
   * @param taken the message that the reader has taken last
   * @param end messages that begin there are not needed
   */
  goOn(taken: DataPlace, end: number): void {
    if (this.#reading !== undefined) return;
    let last = this.#last === undefined || this.#last.sequence < taken.sequence ? taken : this.#last;
    const isEnough = () => last.nextPosition - taken.nextPosition >= AHEAD_BYTES || last.nextOffset >= end;
    for (let next: DataMessage | undefined; !isEnough(); last = placeOf(next)) {
      next = this.#source.cached(last.nextOffset);
      if (next === undefined) break;
    }
    this.#last = last;
    if (isEnough()) return;
    this.#reading = this.#source.readAhead(last)?.then(
      (read) => this.#finished(read),
      () => this.#finished(undefined), // the reader finds out when it needs the message
    );
  }

  #finished(last: DataPlace | undefined): void {
    this.#reading = undefined;
    if (last !== undefined) this.#last = placeOf(last);
  }
}

/** Without the bytes, which memory may drop. */
function placeOf({
  sequence,
  epoch,
  baseOffset,
  nextOffset,
  appendTime,
  position,
  nextPosition,
}: DataPlace): DataPlace {
  return { sequence, epoch, baseOffset, nextOffset, appendTime, position, nextPosition };
}
