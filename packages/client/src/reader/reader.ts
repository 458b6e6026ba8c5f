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
 * Reads given partitions, or all partitions of topics, record by record or batch by batch. Order is
 * kept within a partition; batches of different partitions alternate as they arrive. Lost
 * connections are made again, and reading goes on where it was.
 *
 * Leaving a loop closes the streams; another loop goes on at the positions reached.
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
   * @param topicId of the one topic that is read, where it is known already
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
   * Iterates over the records. One loop at a time.
   *
   * @throws (while iterating) CorruptBatchError or InvalidValueError, and the position stays at the
   * record concerned: `seek` past it to go on; UnknownTopicError; UnknownPartitionError;
   * InconsistentTopicIdError where the topic was deleted and made again; OffsetOutOfRangeError for
   * a start given as a number that is not in the log; the signal's reason
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<T, K>, undefined> {
    const merge = this.#begin();
    const source = new RecordSource(merge, this.#format);
    return new PullIterator(merge, () => source.pull());
  }

  /** Iterates over the batches. It throws what an iteration over the records throws. */
  batches(): AsyncIterableIterator<ConsumerBatch<T, K>, undefined> {
    const merge = this.#begin();
    return new PullIterator(merge, () => nextBatch(merge, this.#format)?.batch);
  }

  /**
   * The offset of the next record to be handed out; undefined until a start that is not a number
   * was looked up.
   *
   * @throws InvalidArgumentError where the partition is not read here
   */
  position(topic: string, partition: number): number | undefined {
    return this.#find(topic, partition)?.position;
  }

  /**
   * The number of records between the position and the high watermark, as the server told it last;
   * undefined before that.
   *
   * @throws InvalidArgumentError where the partition is not read here
   */
  lag(topic: string, partition: number): number | undefined {
    return this.#find(topic, partition)?.lag;
  }

  /**
   * How long the records of the lag have waited at most, ms; 0 where there are none; undefined
   * before anything is known of them.
   *
   * @throws InvalidArgumentError where the partition is not read here
   */
  lagMs(topic: string, partition: number): number | undefined {
    return this.#find(topic, partition)?.lagMs;
  }

  /**
   * Goes on at another offset, also in the middle of a loop.
   *
   * @throws InvalidArgumentError where the partition is not read here, or not known yet
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

  /** Ends the loop, and every later one, without an error. It waits for nothing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#merge?.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(): Merge {
    if (this.#merge !== undefined && !this.#merge.hasEnded) {
      throw new InvalidArgumentError("this reader is being iterated over already: use another one for another loop");
    }
    this.#registry.addReader(this);
    const onEnd = () => this.#registry.delete(this);
    const merge = new Merge(this.#api, { isEndless: false, signal: this.#options.signal, onEnd });
    this.#merge = merge;
    if (this.#isClosed) merge.end();
    else if (this.#states !== undefined) merge.add(this.#states);
    else merge.addLater(this.#lookUp(this.#options.topics!));
    return merge;
  }

  /** The partitions that the topics have now. */
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

  /** Undefined where the partitions of the topic are not known yet. */
  #find(topic: string, partition: number): PartitionState | undefined {
    const state = this.#states?.find((state) => state.topic === topic && state.partition === partition);
    if (state !== undefined || (this.#states === undefined && this.#options.topics!.includes(topic))) return state;
    throw new InvalidArgumentError(`partition ${partition} of ${topic} is not read here`, { topic, partition });
  }
}
