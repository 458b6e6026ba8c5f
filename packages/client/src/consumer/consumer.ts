import { checkArgument, required, wholeNumber } from "@logstore/codec";
import type { LogApi, TopicPartition } from "@logstore/protocol";
import type { Registry } from "../common/registry.js";
import { CLOSE_TIMEOUT_MS } from "../group/closing-time.js";
import { type ConsumerOptions, checkConsumerOptions } from "../group/consumer-options.js";
import { InHand } from "../group/in-flight.js";
import type { ConsumerBatch } from "../reader/consumer-batch.js";
import { type ConsumerRecord, RecordFormat } from "../reader/consumer-record.js";
import type { Park } from "../run/park.js";
import { ParkingLot } from "../run/parking-lot.js";
import { checkRunOptions, type RunOptions } from "../run/run-options.js";
import { Runner } from "../run/runner.js";
import { type ConsumerCloseOptions, checkConsumerCloseOptions } from "./close-options.js";
import { type Delivered, offsetAfter } from "./commit-arguments.js";
import { CurrentReading } from "./current-reading.js";
import { batchLoop, chunkLoop, recordLoop } from "./loops.js";

/**
 * A member of a consumer group. It reads the partitions that the group assigns to it, by record, by
 * chunk or by batch. A loop joins the group when it begins and leaves it when it ends, for
 * whatever reason; a static member keeps its place for the session timeout.
 *
 * A record counts as processed when the loop asks for the next one. Processed records are committed
 * every `commitIntervalMs`, before a partition moves to another member, and when the loop ends. The
 * record that a loop was working on when it was left is not committed: it is delivered again.
 */
export class Consumer<T = Uint8Array, K = Uint8Array> implements AsyncIterable<ConsumerRecord<T, K>>, AsyncDisposable {
  readonly group: string;
  readonly #api: LogApi;
  readonly #options: ConsumerOptions<T, K>;
  readonly #format: RecordFormat<T, K>;
  readonly #registry: Registry;
  readonly #reading: CurrentReading<T, K>;

  /** @internal Made by `client.consumer()`. */
  constructor(api: LogApi, options: ConsumerOptions<T, K>, registry: Registry) {
    checkConsumerOptions(options);
    this.group = options.group;
    this.#api = api;
    this.#options = options;
    this.#format = new RecordFormat(options);
    this.#registry = registry;
    this.#reading = new CurrentReading(api, options, registry);
  }

  /**
   * Joins the group and iterates over the records of the assigned partitions. A consumer runs one
   * loop at a time.
   *
   * @throws (while iterating) CorruptBatchError; InvalidValueError; NoCommittedOffsetError and
   * OffsetOutOfRangeError where `from` is "none"; the error that a hook threw; the signal's reason;
   * InvalidArgumentError, PermissionDeniedError and other errors of the group coordinator
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<T, K>, undefined> {
    const inHand = new InHand();
    return recordLoop(this.#reading.begin(this, inHand), this.#format, inHand);
  }

  /**
   * Joins the group and iterates over arrays of records, as {@link Reader.chunks} does. An array
   * counts as processed when the loop asks for the next one.
   */
  chunks(): AsyncIterableIterator<ConsumerRecord<T, K>[], undefined> {
    const inHand = new InHand();
    return chunkLoop(this.#reading.begin(this, inHand), this.#format, inHand);
  }

  /**
   * Joins the group and iterates over batches instead of records: a batch counts as processed when
   * the loop asks for the next one. It throws what an iteration over the records throws.
   */
  batches(): AsyncIterableIterator<ConsumerBatch<T, K>, undefined> {
    const inHand = new InHand();
    return batchLoop(this.#reading.begin(this, inHand), this.#format, inHand);
  }

  /**
   * Joins the group and calls `eachRecord` for each record: records of one key in order, records of
   * different keys and records without a key in parallel. A record that fails is retried with
   * exponential backoff, while other keys go on. A record that fails every attempt is parked in the
   * topic `<topic>.<group>.parked`, and its key goes on: see `client.parked()`. A partition is
   * committed up to its first record that is not processed yet.
   *
   * Resolves when `signal` aborts or the consumer is closed, after the running handlers are done.
   * `eachRecord` must not await that.
   *
   * ```ts
   * await consumer.run({ concurrency: 8, eachRecord: async ({ value }) => deliver(value) });
   * ```
   *
   * @throws what a loop throws; the last error of `eachRecord` where `park` is false; the error
   * that kept a record from being parked
   */
  async run(options: RunOptions<T, K>): Promise<void> {
    checkRunOptions(options);
    const lot = options.park === false ? undefined : new ParkingLot(this.#api, this.#options, this.#registry);
    const park: Park | undefined = lot && ((record, failure) => lot.park(record, failure));
    const runner = new Runner(this.#format, options, park);
    try {
      await runner.run(this.#reading.begin(this, runner));
    } finally {
      await lot?.close();
    }
  }

  /** The partitions that are assigned to this member now. */
  get assignment(): TopicPartition[] {
    return this.#reading.assignment;
  }

  /**
   * The offset of the next record to be delivered; undefined where it is not known yet, and where
   * the partition is not assigned to this member.
   */
  position(topic: string, partition: number): number | undefined {
    const owned = this.#reading.find(topic, partition);
    return owned && this.#reading.inFlight.position(owned);
  }

  /**
   * The committed offset, at which the next owner of the partition begins; undefined where nothing
   * was committed, and where the partition is not assigned to this member.
   */
  committed(topic: string, partition: number): number | undefined {
    return this.#reading.find(topic, partition)?.committed;
  }

  /**
   * The number of records between the position and the high watermark that the server reported
   * last; undefined where that is not known, and where the partition is not assigned to this
   * member.
   */
  lag(topic: string, partition: number): number | undefined {
    const owned = this.#reading.find(topic, partition);
    return owned?.lagFrom(this.#reading.inFlight.position(owned));
  }

  /**
   * The longest time that a record of the lag can have waited, ms; 0 where there is no lag;
   * undefined as for `lag`.
   */
  lagMs(topic: string, partition: number): number | undefined {
    return this.#reading.find(topic, partition)?.lagMs;
  }

  /**
   * Commits every processed record, and the record, chunk or batch that the caller is working on:
   * call it when that is done. In a `run`, the caller is the handler that calls it (not a callback
   * of it), and a partition is committed up to its first record that is not processed. Partitions
   * that are not this member's any more are left out. Resolves when the commit is durable.
   *
   * @throws UnavailableError
   */
  commit(): Promise<void>;
  /**
   * Commits a record or a batch, and everything before it in its partition. A commit below the
   * committed offset changes nothing.
   *
   * @param metadata text that is kept with the commit, up to 4 KiB. Default: none
   * @throws FencedMemberError where the partition is assigned to another member, or its offset was
   * reset meanwhile; InvalidArgumentError for anything that is neither a record nor a batch;
   * UnavailableError
   */
  commit(
    processed: ConsumerRecord<unknown, unknown> | ConsumerBatch<unknown, unknown>,
    metadata?: string,
  ): Promise<void>;
  /**
   * Commits an offset: that of the last processed record plus one. A commit below the committed
   * offset changes nothing.
   *
   * @param metadata text that is kept with the commit, up to 4 KiB. Default: none
   * @throws FencedMemberError where the partition is assigned to another member, or its offset was
   * reset meanwhile; UnavailableError
   */
  commit(topic: string, partition: number, offset: number, metadata?: string): Promise<void>;
  async commit(
    what?: Delivered | string,
    partitionOrMetadata?: number | string,
    offset = 0,
    metadata?: string,
  ): Promise<void> {
    const { reader } = this.#reading;
    if (what === undefined) {
      this.#reading.inFlight.count();
      return reader.commitProcessed();
    }
    if (typeof what === "string") return reader.commit(what, partitionOrMetadata as number, offset, metadata);
    const after = offsetAfter(what);
    return reader.commit(after.topic, after.partition, after.offset, partitionOrMetadata as string | undefined);
  }

  /**
   * Continues a partition at another offset. It may be called within a loop.
   *
   * @throws InvalidArgumentError where the partition is not assigned to this member
   */
  seek(topic: string, partition: number, offset: number): void {
    const { rebalance } = this.#reading.reader;
    const owned = rebalance.get(topic, partition);
    checkArgument("consumer.seek", "offset", offset, required(wholeNumber()));
    owned.isExact = true;
    rebalance.move(owned, offset);
  }

  /**
   * Stops the delivery of a partition's records until {@link resume}. The partition stays assigned
   * to this member.
   *
   * @throws InvalidArgumentError where the partition is not assigned to this member
   */
  pause(topic: string, partition: number): void {
    const { reader } = this.#reading;
    reader.pause(reader.rebalance.get(topic, partition));
  }

  /**
   * Continues the delivery of a paused partition's records.
   *
   * @throws InvalidArgumentError where the partition is not assigned to this member
   */
  resume(topic: string, partition: number): void {
    const { reader } = this.#reading;
    reader.resume(reader.rebalance.get(topic, partition));
  }

  /**
   * Ends the running loop or run, and every later one, without an error. It aborts the signal of
   * handlers, waits for the records that are being processed, commits, and leaves the group, so
   * that other members get the partitions at once. All of this takes at most `timeoutMs`, by
   * default 10,000; records that are not processed by then are not committed and are delivered
   * again.
   *
   * A close that is called from the body of a loop, from a handler or from a hook does not wait for
   * its caller, which waits for it. The record that the caller is working on is then not committed,
   * as with `break`: call `await consumer.commit()` first where it is processed. The caller is
   * recognized by V8's stack trace, so a callback that the body has started, such as a timer's,
   * does not count as the body. An engine without V8's stack traces, such as Bun's, recognizes no
   * caller: such a close takes its whole `timeoutMs`, and `commit()` in a handler of `run` leaves
   * out the handler's own record.
   *
   * A static member, one with an `instanceId`, stays in the group, and its partitions wait for it
   * until its session times out. With `leave` it leaves.
   *
   * @throws the error that a hook or the last commit failed with; InvalidArgumentError
   */
  async close(options: ConsumerCloseOptions = {}): Promise<void> {
    checkConsumerCloseOptions(options);
    const { leave: forGood = false, timeoutMs = CLOSE_TIMEOUT_MS } = options;
    await this.#reading.close({ forGood, timeoutMs });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
