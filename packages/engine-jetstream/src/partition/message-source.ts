/** Finds and reads the data messages of a partition. */
import { UnavailableError } from "@logstore/codec";
import { unavailable } from "../nats/failures.js";
import type { PartitionStream } from "../nats/partition-stream.js";
import { type DataMessage, type DataPlace, decodeData } from "./data-message.js";
import type { MessageCache } from "./message-cache.js";
import { SparseIndex } from "./sparse-index.js";

const READ_BYTES = 1024 * 1024;
/** Messages closer than that are read one after another, not searched. */
const NEAR = 4;

export class MessageSource {
  readonly #stream: PartitionStream;
  readonly #cache: MessageCache;
  readonly #index = new SparseIndex();

  constructor(stream: PartitionStream, cache: MessageCache) {
    this.#stream = stream;
    this.#cache = cache;
  }

  /** Remembers a message that was written or read. */
  add(message: DataMessage): void {
    this.#index.add(message);
    this.#cache.add(this.#stream.names.stream, message);
  }

  removeBefore(sequence: number): void {
    this.#index.removeBefore(sequence);
  }

  /** The message that begins at an offset, if it is in memory. */
  cached(baseOffset: number): DataMessage | undefined {
    return this.#cache.get(this.#stream.names.stream, baseOffset);
  }

  /**
   * The message with the record of an offset, which must be below the high watermark.
   *
   * @param near place of a message that was read before
   * @throws UnavailableError, also if the record was deleted meanwhile; CorruptPartitionError
   */
  async at(offset: number, near?: DataPlace): Promise<DataMessage> {
    const holds = (message: DataPlace) => message.baseOffset <= offset && offset < message.nextOffset;
    const cached = this.cached(near !== undefined && holds(near) ? near.baseOffset : offset);
    if (cached !== undefined && holds(cached)) return cached;
    if (near !== undefined && near.baseOffset <= offset) {
      const message = await this.#from(holds(near) ? near.sequence : near.sequence + 1);
      if (message !== undefined && holds(message)) return message;
    }
    const message = await this.first((each) => each.nextOffset > offset);
    if (message !== undefined && holds(message)) return message;
    throw new UnavailableError(`the record of offset ${offset} is not found in stream ${this.#stream.names.stream}`, {
      offset,
    });
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
      const message = await this.#from(middle, 1);
      if (message === undefined || holds(message)) high = middle;
      else low = message.sequence + 1;
    }
    for (;;) {
      const message = await this.#from(low);
      if (message === undefined || holds(message)) return message;
      low = message.sequence + 1;
    }
  }

  /** The first data message at `sequence` or after. Those that follow are remembered. */
  async #from(sequence: number, maxMessages?: number): Promise<DataMessage | undefined> {
    try {
      const [first, ...others] = await this.#stream.read(sequence, {
        maxBytes: READ_BYTES,
        kind: "data",
        ...(maxMessages !== undefined && { maxMessages }),
      });
      // A replica that lags has none; whether there is none, the leader knows.
      const found = first ?? (await this.#stream.next(sequence, "data"));
      if (found === undefined) return undefined;
      const message = decodeData(found);
      this.add(message);
      for (const other of others) this.add(decodeData(other));
      return message;
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
