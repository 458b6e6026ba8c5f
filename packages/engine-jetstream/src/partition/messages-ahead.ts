/**
 * Reads the messages that a reader needs next, so that NATS works while the former ones are sent.
 * They wait in the memory that all readers share: a reader that stops holds none of it, and
 * messages that other readers displace are read again, one after another.
 */
import type { DataMessage, DataPlace } from "./data-message.js";
import { AHEAD_BYTES, type MessageSource } from "./message-source.js";

/** A reader that has less than that in memory reads ahead. */
const ENOUGH_BYTES = AHEAD_BYTES / 2;

export class MessagesAhead {
  readonly #source: MessageSource;
  /** The last message that was read, ahead or not. */
  #last: DataPlace | undefined;
  #isReading = false;
  /** Resolves when the next message has arrived, and when the read has ended. */
  #progress = Promise.withResolvers<void>();

  constructor(source: MessageSource) {
    this.#source = source;
  }

  /** Waits for the message that begins at an offset, if it is being read. */
  async arrived(offset: number): Promise<void> {
    while (this.#isReading && this.#source.cached(offset) === undefined) await this.#progress.promise;
  }

  /**
   * Reads what follows, unless enough of it was read or is being read.
   *
   * @param taken the message that the reader has taken last
   * @param end messages that begin there are not needed
   */
  goOn(taken: DataPlace, end: number): void {
    if (this.#isReading) return;
    let last = this.#last === undefined || this.#last.sequence < taken.sequence ? taken : this.#last;
    const isEnough = () => last.nextPosition - taken.nextPosition >= ENOUGH_BYTES || last.nextOffset >= end;
    for (let next: DataMessage | undefined; !isEnough(); last = placeOf(next)) {
      next = this.#source.cached(last.nextOffset);
      if (next === undefined) break;
    }
    this.#last = last;
    if (isEnough()) return;
    const reading = this.#source.readAhead(last, (message) => {
      this.#last = placeOf(message);
      this.#proceed();
    });
    if (reading !== undefined) void this.#untilRead(reading);
  }

  async #untilRead(reading: Promise<unknown>): Promise<void> {
    this.#isReading = true;
    await reading.catch(() => {}); // the reader finds out when it needs the message
    this.#isReading = false;
    this.#proceed();
  }

  #proceed(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
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
