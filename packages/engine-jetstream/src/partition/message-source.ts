/** Finds and reads the data messages of a partition. */
import { UnavailableError } from "@logstore/codec";
import type { StoredMsg } from "@nats-io/jetstream";
import { unavailable } from "../nats/failures.js";
import type { PartitionStream } from "../nats/partition-stream.js";
import { type DataMessage, type DataPlace, decodeData } from "./data-message.js";
import type { MessageCache } from "./message-cache.js";
import { SparseIndex } from "./sparse-index.js";

const READ_BYTES = 1024 * 1024;
const LEAST_READ_BYTES = 64 * 1024;
/** Most bytes of one read ahead, unless a single message is larger. */
export const AHEAD_BYTES = 4 * 1024 * 1024;
/** Messages closer than that are read one after another, not searched. */
const NEAR = 4;

export class MessageSource {
  readonly #stream: PartitionStream;
  readonly #cache: MessageCache;
  #index = new SparseIndex();
  /** Under which messages are cached; another one when all of them were forgotten. */
  #name: string;
  #timesForgotten = 0;

  constructor(stream: PartitionStream, cache: MessageCache) {
    this.#stream = stream;
    this.#cache = cache;
    this.#name = stream.names.stream;
  }

  /** Remembers a message that was written or read. */
  add(message: DataMessage): void {
    this.#index.add(message);
    this.#cache.add(this.#name, message);
  }

  /** Forgets what it remembers, also of reads that are under way: the stream may have lost it. */
  forget(): void {
    this.#index = new SparseIndex();
    this.#name = `${this.#stream.names.stream} ${++this.#timesForgotten}`;
  }

  removeBefore(sequence: number): void {
    this.#index.removeBefore(sequence);
  }

  /** The message that begins at an offset, if it is in memory. */
  cached(baseOffset: number): DataMessage | undefined {
    return this.#cache.get(this.#name, baseOffset);
  }

  /**
   * The message with the record of an offset, which must be below the high watermark, and those
   * that were read with it, which follow.
   *
   * @param maxBytes that the caller wants
   * @param near place of a message that was read before
   * @throws UnavailableError, also if the record was deleted meanwhile; CorruptPartitionError
   */
  async at(offset: number, maxBytes: number, near?: DataPlace): Promise<readonly DataMessage[]> {
    const holds = (message: DataPlace | undefined) =>
      message !== undefined && message.baseOffset <= offset && offset < message.nextOffset;
    const cached = this.cached(near !== undefined && holds(near) ? near.baseOffset : offset);
    if (cached !== undefined && holds(cached)) return [cached];
    if (near === undefined || near.baseOffset > offset) near = await this.first((each) => each.nextOffset > offset);
    if (near !== undefined) {
      const bytes = Math.min(Math.max(maxBytes, LEAST_READ_BYTES), READ_BYTES);
      const messages = await this.#from(holds(near) ? near.sequence : near.sequence + 1, bytes);
      if (holds(messages[0])) return messages;
    }
    throw new UnavailableError(`the record of offset ${offset} is not found in stream ${this.#stream.names.stream}`, {
      offset,
    });
  }

  /**
   * Reads the messages after one into memory, and resolves when they are there. Undefined: there is
   * no memory for them now.
   *
   * @param arrived called for each message as soon as it is in memory
   */
  readAhead({ sequence }: DataPlace, arrived: (message: DataMessage) => void): Promise<unknown> | undefined {
    const release = this.#cache.reserve(AHEAD_BYTES);
    return release && this.#from(sequence + 1, AHEAD_BYTES, undefined, arrived).finally(release);
  }

  /**
   * The first message for which a condition holds. It must hold for all messages after one for
   * which it holds.
   *
   * @throws UnavailableError, CorruptPartitionError
   */
  async first(holds: (place: DataPlace) => boolean): Promise<DataMessage | undefined> {
    const [before, from] = this.#index.around(holds);
    let low = (before?.sequence ?? 0) + 1;
    let high = from?.sequence ?? (await this.#lastSequence());
    // It is the first message at `low` or after for which the condition holds, and at `high` at the
    // latest, unless there is none.
    while (high - low > NEAR) {
      const middle = (low + high) >>> 1;
      const message = await this.#one(middle);
      if (message === undefined || holds(message)) high = middle;
      else low = message.sequence + 1;
    }
    for (;;) {
      const message = await this.#one(low);
      if (message === undefined || holds(message)) return message;
      low = message.sequence + 1;
    }
  }

  /** The first data message at `sequence` or after. */
  async #one(sequence: number): Promise<DataMessage | undefined> {
    return (await this.#from(sequence, READ_BYTES, 1))[0];
  }

  /** Data messages at `sequence` and after. */
  async #from(
    sequence: number,
    maxBytes: number,
    maxMessages?: number,
    arrived?: (message: DataMessage) => void,
  ): Promise<DataMessage[]> {
    const times = this.#timesForgotten;
    const messages: DataMessage[] = [];
    const take = (stored: StoredMsg) => {
      const message = decodeData(stored);
      messages.push(message);
      if (times === this.#timesForgotten) this.add(message);
      arrived?.(message);
    };
    try {
      await this.#stream.read(sequence, { maxBytes, kind: "data", maxMessages, arrived: take });
      if (messages.length === 0) {
        const atLeader = await this.#stream.next(sequence, "data"); // a replica may lag
        if (atLeader !== undefined) take(atLeader);
      }
      return messages;
    } catch (error) {
      throw unavailable(`stream ${this.#stream.names.stream} cannot be read`, error);
    }
  }

  async #lastSequence(): Promise<number> {
    try {
      return (await this.#stream.last("data"))?.seq ?? 0;
    } catch (error) {
      throw unavailable(`stream ${this.#stream.names.stream} cannot be read`, error);
    }
  }
}
