import { checkArgument, InvalidArgumentError, required, wholeNumber } from "@logstore/codec";
import type { LogApi, Position } from "@logstore/protocol";
import { toPosition } from "../common/position.js";
import type { Registry } from "../common/registry.js";
import { type ConsumerBatch, nextBatch } from "./consumer-batch.js";
import { type ConsumerRecord, RecordFormat } from "./consumer-record.js";
import { Merge } from "./merge.js";
import { PartitionState } from "./partition-state.js";
import { PullIterator } from "./pull-iterator.js";
import { checkReaderOptions, type ReaderOptions, startOf } from "./reader-options.js";
import { RecordSource } from "./record-source.js";

/**
 * Reads given partitions, or all partitions of topics, by record, by chunk or by batch. Records
 * of one partition are delivered in order; batches of different partitions alternate as they
 * arrive. Lost connections are reopened, and reading continues where it was.
 *
 * Leaving a loop closes its streams. Another loop continues at the positions reached.
 */
export class Reader<T = Uint8Array, K = Uint8Array> implements AsyncIterable<ConsumerRecord<T, K>>, AsyncDisposable {
  readonly #api: LogApi;
  readonly #format: RecordFormat<T, K>;
  readonly #options: ReaderOptions<T, K>;
  readonly #until: Position | undefined;
  /** Undefined until the partitions of the topics are known. */
  #states: readonly PartitionState[] | undefined;
  /** Holds the reader while it is being iterated over, so that closing the client closes it. */
  readonly #registry: Registry;
  #merge: Merge | undefined;
  #isClosed = false;

  /**
   * @internal Made by `client.reader()`.
   *
   * @param topicId id of the only topic, if it is known already
   */
  constructor(api: LogApi, options: ReaderOptions<T, K>, registry: Registry, topicId?: string) {
    checkReaderOptions(options);
    const { assign, until } = options;
    this.#until = until === undefined ? undefined : toPosition("reader", "until", until);
    this.#api = api;
    this.#format = new RecordFormat(options);
    this.#options = options;
    this.#registry = registry;
    if (assign === undefined) return;
    this.#states = Object.entries(assign).flatMap(([topic, partitions]) =>
      Array.from(new Set(partitions), (partition) => this.#stateOf(topic, partition, topicId)),
    );
  }

  /**
   * Iterates over the records. A reader runs one loop at a time.
   *
   * @throws (while iterating) CorruptBatchError or InvalidValueError, with the position at the
   * record concerned: `seek` past it to go on; UnknownTopicError; UnknownPartitionError;
   * InconsistentTopicIdError where the topic was deleted and created anew; OffsetOutOfRangeError
   * for a start given as an offset that the log does not have; the signal's reason
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<T, K>, undefined> {
    const merge = this.#begin();
    const source = new RecordSource(merge, this.#format);
    return new PullIterator(merge, () => source.pull());
  }

  /**
   * Iterates over arrays of 1 to 1,000 consecutive records of one partition, each a new array. It
   * costs one promise an array instead of one a record. `position` moves past a whole array when it
   * is delivered. The records before one that cannot be delivered come first; the call after that
   * throws what an iteration over the records throws.
   *
   * ```ts
   * for await (const records of reader.chunks()) {
   *   for (const { partition, offset, value } of records) index(partition, offset, value);
   * }
   * ```
   */
  chunks(): AsyncIterableIterator<ConsumerRecord<T, K>[], undefined> {
    const merge = this.#begin();
    const source = new RecordSource(merge, this.#format);
    return new PullIterator(merge, () => source.pullChunk());
  }

  /** Iterates over the batches. It throws what an iteration over the records throws. */
  batches(): AsyncIterableIterator<ConsumerBatch<T, K>, undefined> {
    const merge = this.#begin();
    return new PullIterator(merge, () => nextBatch(merge, this.#format)?.batch);
  }

  /**
   * The offset of the next record to be delivered; undefined until a start that is not an offset
   * was resolved.
   *
   * @throws InvalidArgumentError where this reader does not read the partition
   */
  position(topic: string, partition: number): number | undefined {
    return this.#find(topic, partition)?.position;
  }

  /**
   * The number of records between the position and the high watermark that the server reported
   * last; undefined before that.
   *
   * @throws InvalidArgumentError where this reader does not read the partition
   */
  lag(topic: string, partition: number): number | undefined {
    return this.#find(topic, partition)?.lag;
  }

  /**
   * The longest time that a record of the lag can have waited, ms; 0 where there is no lag;
   * undefined before anything was read.
   *
   * @throws InvalidArgumentError where this reader does not read the partition
   */
  lagMs(topic: string, partition: number): number | undefined {
    return this.#find(topic, partition)?.lagMs;
  }

  /**
   * Continues a partition at another offset. It may be called within a loop.
   *
   * @throws InvalidArgumentError where this reader does not read the partition, or the partitions
   * of the topic are not known yet
   */
  seek(topic: string, partition: number, offset: number): void {
    const state = this.#find(topic, partition);
    if (state === undefined) {
      throw new InvalidArgumentError(`the partitions of ${topic} are not known yet: seek once the loop has begun`, {
        topic,
      });
    }
    checkArgument("reader.seek", "offset", offset, required(wholeNumber()));
    state.position = offset;
    state.isExact = true;
    this.#merge?.restart(state);
  }

  /** Ends the running loop, and every later one, without an error. It does not wait. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#merge?.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(): Merge {
    if (this.#merge !== undefined && !this.#merge.hasEnded) {
      throw new InvalidArgumentError("this reader is reading already: use another reader for another loop");
    }
    this.#registry.addReader(this);
    const onEnd = () => this.#registry.delete(this);
    const { signal, maxReadAheadBytes } = this.#options;
    const merge = new Merge(this.#api, { isEndless: false, maxReadAheadBytes, signal, onEnd });
    this.#merge = merge;
    if (this.#isClosed) merge.end();
    else if (this.#states !== undefined) merge.add(this.#states);
    else merge.addLater(this.#lookUp(this.#options.topics!));
    return merge;
  }

  /** Describes the topics and returns all their partitions. */
  async #lookUp(topics: readonly string[]): Promise<readonly PartitionState[]> {
    const described = await Promise.all(Array.from(new Set(topics), (topic) => this.#api.describeTopic(topic)));
    this.#states ??= described.flatMap(({ topic, topicId, partitions }) =>
      partitions.map(({ partition }) => this.#stateOf(topic, partition, topicId)),
    );
    return this.#states;
  }

  #stateOf(topic: string, partition: number, topicId: string | undefined): PartitionState {
    const { from = "earliest", onSkipped } = this.#options;
    const state = new PartitionState(topic, partition, startOf(from, topic, partition), this.#until, onSkipped);
    state.topicId = topicId;
    return state;
  }

  /** Returns undefined while the partitions of the topic are not known yet. */
  #find(topic: string, partition: number): PartitionState | undefined {
    const state = this.#states?.find((state) => state.topic === topic && state.partition === partition);
    if (state !== undefined || (this.#states === undefined && this.#options.topics!.includes(topic))) return state;
    throw new InvalidArgumentError(`this reader does not read partition ${partition} of ${topic}`, {
      topic,
      partition,
    });
  }
}
