import { checkArgument, InvalidArgumentError, required, wholeNumber } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { toPosition } from "../position.js";
import type { Registry } from "../registry.js";
import { type ConsumerBatch, nextBatch } from "./consumer-batch.js";
import { type ConsumerOptions, checkConsumerOptions, startOf } from "./consumer-options.js";
import { type ConsumerRecord, RecordFormat } from "./consumer-record.js";
import { Merge } from "./merge.js";
import { PartitionState } from "./partition-state.js";
import { PullIterator } from "./pull-iterator.js";
import { RecordSource } from "./record-source.js";

/**
 * Reads partitions: record by record, or batch by batch. Order is kept within a partition; between
 * partitions it is as the batches come in, none before another for long. Lost connections are made
 * again, and reading goes on where it was.
 *
 * Leaving a loop closes the streams; another loop goes on at the positions reached.
 */
export class Consumer<T = Uint8Array, K = Uint8Array> implements AsyncIterable<ConsumerRecord<T, K>>, AsyncDisposable {
  readonly #api: LogApi;
  readonly #format: RecordFormat<T, K>;
  readonly #signal: AbortSignal | undefined;
  readonly #states: readonly PartitionState[];
  /** Where it is while it is being iterated over, so that whoever made it can close it. */
  readonly #registry: Registry;
  #merge: Merge | undefined;
  #isClosed = false;

  /**
   * Made by `client.consumer()`.
   *
   * @param topicId of the one topic that is read, where it is known already
   */
  constructor(api: LogApi, options: ConsumerOptions<T, K>, registry: Registry, topicId?: string) {
    checkConsumerOptions(options);
    const { assign, from = "earliest", signal, onSkipped } = options;
    const until = options.until === undefined ? undefined : toPosition("consumer", "until", options.until);
    this.#api = api;
    this.#format = new RecordFormat(options);
    this.#signal = signal;
    this.#states = Object.entries(assign).flatMap(([topic, partitions]) =>
      [...new Set(partitions)].map((p) => new PartitionState(topic, p, startOf(from, topic, p), until, onSkipped)),
    );
    for (const state of this.#states) state.topicId = topicId;
    this.#registry = registry;
  }

  /**
   * @throws (while iterating) CorruptBatchError, InvalidValueError: the position stays at what is
   * wrong, `seek` past it to go on; UnknownTopicError, UnknownPartitionError; OffsetOutOfRangeError
   * for a start given as a number; the signal's reason
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<T, K>, undefined> {
    const merge = this.#begin();
    const source = new RecordSource(merge, this.#format);
    return new PullIterator(merge, () => source.pull());
  }

  /** The same, batch by batch. */
  batches(): AsyncIterableIterator<ConsumerBatch<T, K>, undefined> {
    const merge = this.#begin();
    return new PullIterator(merge, () => nextBatch(merge, this.#format)?.batch);
  }

  /**
   * Offset of the next record to be delivered; undefined until a start that is not a number was
   * looked up.
   */
  position(topic: string, partition: number): number | undefined {
    return this.#state(topic, partition).position;
  }

  /**
   * Records between the position and the high watermark, as it was last heard of; undefined before
   * that.
   */
  lag(topic: string, partition: number): number | undefined {
    return this.#state(topic, partition).lag;
  }

  /**
   * How long the records of the lag have waited at most, ms; undefined before anything was heard of
   * them.
   */
  lagMs(topic: string, partition: number): number | undefined {
    return this.#state(topic, partition).lagMs;
  }

  /** Goes on at another offset, also in the middle of a loop. */
  seek(topic: string, partition: number, offset: number): void {
    const state = this.#state(topic, partition);
    checkArgument("consumer.seek", "offset", offset, required(wholeNumber()));
    state.position = offset;
    state.isExact = true;
    this.#merge?.restart(state);
  }

  /** Ends the loop, quietly, and every later one. */
  close(): void {
    this.#isClosed = true;
    this.#merge?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #begin(): Merge {
    if (this.#merge !== undefined && !this.#merge.hasEnded) {
      throw new InvalidArgumentError("this consumer is being iterated over already: use another one for another loop");
    }
    this.#registry.addReader(this);
    const onEnd = () => this.#registry.delete(this);
    this.#merge = new Merge(this.#api, { isEndless: false, signal: this.#signal, onEnd });
    if (this.#isClosed) this.#merge.end();
    this.#merge.add(this.#states);
    return this.#merge;
  }

  #state(topic: string, partition: number): PartitionState {
    const state = this.#states.find((state) => state.topic === topic && state.partition === partition);
    if (state !== undefined) return state;
    throw new InvalidArgumentError(`partition ${partition} of ${topic} is not assigned here`, { topic, partition });
  }
}
