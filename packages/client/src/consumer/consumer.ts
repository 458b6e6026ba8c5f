import {
  boolean,
  checkArgument,
  checkOptions,
  durationMs,
  InvalidArgumentError,
  type OptionRules,
  required,
  shown,
  wholeNumber,
} from "@logstore/codec";
import type { LogApi, TopicPartition } from "@logstore/protocol";
import type { CloseOptions, Registry } from "../common/registry.js";
import { CLOSE_TIMEOUT_MS } from "../group/closing-time.js";
import { type ConsumerOptions, checkConsumerOptions } from "../group/consumer-options.js";
import { GroupReader } from "../group/group-reader.js";
import { type InFlight, InHand } from "../group/in-flight.js";
import type { OwnedPartition } from "../group/owned-partition.js";
import { type ConsumerBatch, nextBatch } from "../reader/consumer-batch.js";
import { type ConsumerRecord, RecordFormat } from "../reader/consumer-record.js";
import { type Leaving, PullIterator } from "../reader/pull-iterator.js";
import { RecordSource } from "../reader/record-source.js";
import type { Failure } from "../run/parked-record.js";
import { ParkingLot } from "../run/parking-lot.js";
import type { RawRecord } from "../run/partition-work.js";
import { checkRunOptions, type RunOptions } from "../run/run-options.js";
import { Runner } from "../run/runner.js";

/** How a member leaves its group. */
export interface ConsumerCloseOptions extends CloseOptions {
  /** Whether a static member gives its partitions to others at once. Default false. */
  readonly leave?: boolean | undefined;
}

const closeRules: OptionRules<ConsumerCloseOptions> = { leave: boolean, timeoutMs: durationMs() };

/**
 * A member of a consumer group: reads the partitions that the group gives it, record by record or
 * batch by batch. A loop joins the group, and leaves it when it ends, however it ends; a static
 * member keeps its place for as long as its session.
 *
 * A record counts as processed when the loop asks for the next one, and what was processed is
 * committed now and then, before a partition goes to another member, and when the loop ends. What
 * was in hand when a loop was left is not committed: somebody gets it again.
 */
export class Consumer<T = Uint8Array, K = Uint8Array> implements AsyncIterable<ConsumerRecord<T, K>>, AsyncDisposable {
  readonly group: string;
  readonly #api: LogApi;
  readonly #options: ConsumerOptions<T, K>;
  readonly #format: RecordFormat<T, K>;
  /** Where it is while it reads, so that whoever made it can close it. */
  readonly #registry: Registry;
  #reader: GroupReader<T, K> | undefined;
  #inFlight: InFlight = new InHand();
  #isClosed = false;

  /** @internal Made by `client.consumer()`. */
  constructor(api: LogApi, options: ConsumerOptions<T, K>, registry: Registry) {
    checkConsumerOptions(options);
    this.group = options.group;
    this.#api = api;
    this.#options = options;
    this.#format = new RecordFormat(options);
    this.#registry = registry;
  }

  /**
   * @throws (while iterating) CorruptBatchError, InvalidValueError; NoCommittedOffsetError,
   * OffsetOutOfRangeError where `from` is "none"; what a hook throws; the signal's reason;
   * InvalidArgumentError, PermissionDeniedError, … as the group answers
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<T, K>, undefined> {
    const [reader, inHand] = this.#beginLoop();
    const source = new RecordSource(reader.merge, this.#format);
    const pull = () => {
      inHand.settle();
      const record = source.pull();
      if (record === undefined) return undefined;
      const owned = source.state as OwnedPartition;
      if (!(record instanceof Promise)) {
        inHand.take(owned, record.offset + 1);
        return record;
      }
      return record.then((record) => {
        if (record === undefined || owned.isGone) return undefined;
        inHand.take(owned, record.offset + 1);
        return record;
      });
    };
    return new PullIterator(reader.merge, pull, this.#leaving(reader, inHand));
  }

  /** The same, batch by batch: a batch counts as processed when the next one is asked for. */
  batches(): AsyncIterableIterator<ConsumerBatch<T, K>, undefined> {
    const [reader, inHand] = this.#beginLoop();
    const pull = () => {
      inHand.settle();
      const next = nextBatch(reader.merge, this.#format);
      if (next === undefined) return undefined;
      inHand.take(next.state as OwnedPartition, next.batch.nextOffset);
      return next.batch;
    };
    return new PullIterator(reader.merge, pull, this.#leaving(reader, inHand));
  }

  /**
   * Processes records by key in order, keys in parallel; records without a key are all processed in
   * parallel. A record that fails is tried again with growing pauses, while only those of its key
   * wait. One that keeps failing is put aside in `<topic>.<group>.parked`, and its key goes on: see
   * `client.parked()`. Commits only what everything before is done, too.
   *
   * Resolves when `signal` aborts or the consumer is closed, and what is worked on is done;
   * `eachRecord` must not wait for that.
   *
   * @throws what a loop throws; what `eachRecord` threw last where `park` is false; why a record
   * could not be parked
   */
  async run(options: RunOptions<T, K>): Promise<void> {
    checkRunOptions(options);
    const lot = options.park === false ? undefined : new ParkingLot(this.#api, this.#options, this.#registry);
    const park = lot && ((record: RawRecord, failure: Failure) => lot.park(record, failure));
    const runner = new Runner(this.#format, options, park);
    try {
      await runner.run(this.#begin(runner));
    } finally {
      // What was to be put aside is, or is not waited for any longer.
      await lot?.close();
    }
  }

  /** The partitions that are this member's now. */
  get assignment(): TopicPartition[] {
    return (this.#reader?.rebalance.owned ?? []).map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * Offset of the next record to be handed out; undefined where it is not known yet, or the
   * partition is not this member's.
   */
  position(topic: string, partition: number): number | undefined {
    const owned = this.#reader?.rebalance.find(topic, partition);
    return owned && this.#inFlight.position(owned);
  }

  /**
   * The offset that the group goes on at when this member is gone; undefined as above, and where
   * nothing was committed.
   */
  committed(topic: string, partition: number): number | undefined {
    return this.#reader?.rebalance.find(topic, partition)?.committed;
  }

  /** Records between the position and the high watermark, as it was last heard of. */
  lag(topic: string, partition: number): number | undefined {
    const owned = this.#reader?.rebalance.find(topic, partition);
    return owned?.lagFrom(this.#inFlight.position(owned));
  }

  /** How long the records of the lag have waited at most, ms; 0 where there are none. */
  lagMs(topic: string, partition: number): number | undefined {
    return this.#reader?.rebalance.find(topic, partition)?.lagMs;
  }

  /**
   * Commits everything that is processed, and what is in hand: to be called when that is done. In a
   * `run`, the record in hand is the one whose handler calls this, not from a callback; a partition
   * is committed as far as every record before is processed, too. Resolves when it is durable;
   * partitions that are somebody else's by now are left out.
   *
   * @throws UnavailableError
   */
  commit(): Promise<void>;
  /**
   * Commits a record or a batch, and everything before it in its partition, with up to 4 KiB of
   * metadata. A commit below what is committed already changes nothing.
   *
   * @throws FencedMemberError where the partition is another member's by now, or was reset
   * meanwhile; InvalidArgumentError for anything that is no record and no batch; UnavailableError
   */
  commit(
    processed: ConsumerRecord<unknown, unknown> | ConsumerBatch<unknown, unknown>,
    metadata?: string,
  ): Promise<void>;
  /**
   * Commits an offset, one past the last record that was processed, with up to 4 KiB of metadata.
   * Below what is committed already it changes nothing.
   *
   * @throws FencedMemberError where the partition is somebody else's, or was reset meanwhile;
   * UnavailableError
   */
  commit(topic: string, partition: number, offset: number, metadata?: string): Promise<void>;
  async commit(
    what?: ConsumerRecord<unknown, unknown> | ConsumerBatch<unknown, unknown> | string,
    partitionOrMetadata?: number | string,
    offset = 0,
    metadata?: string,
  ): Promise<void> {
    const reader = this.#running();
    if (what === undefined) {
      this.#inFlight.count();
      return reader.commitProcessed();
    }
    const commit =
      typeof what === "string"
        ? { topic: what, partition: partitionOrMetadata as number, offset, metadata }
        : { ...endOf(what), metadata: partitionOrMetadata as string | undefined };
    return reader.commit(commit.topic, commit.partition, commit.offset, commit.metadata);
  }

  /**
   * Goes on at another offset, also in the middle of a loop. @throws InvalidArgumentError where it
   * is not this member's
   */
  seek(topic: string, partition: number, offset: number): void {
    const { rebalance } = this.#running();
    const owned = rebalance.get(topic, partition);
    checkArgument("consumer.seek", "offset", offset, required(wholeNumber()));
    owned.isExact = true;
    rebalance.move(owned, offset);
  }

  /** Hands out nothing of a partition until {@link resume}. It stays this member's. */
  pause(topic: string, partition: number): void {
    const reader = this.#running();
    reader.pause(reader.rebalance.get(topic, partition));
  }

  resume(topic: string, partition: number): void {
    const reader = this.#running();
    reader.resume(reader.rebalance.get(topic, partition));
  }

  /**
   * Ends the loop or run, quietly, and every later one. Aborts the signal of handlers, waits until
   * what is in hand is done, commits, and leaves the group, so that its partitions go to others at
   * once. All of that takes `timeoutMs` at most, 10,000 by default: what is not done by then is not
   * committed, and somebody gets it again.
   *
   * Called in the body of a loop, in a handler or in a hook, it does not wait for that body,
   * handler or hook, which waits for it: like `break`, it leaves at once, and the record in hand is
   * not committed; `await consumer.commit()` before, where it is done. The caller is recognized
   * by V8's stack trace: a callback that the body has started, such as a timer's, is not in the
   * body, and the record in hand is waited for. On an engine without V8's stack traces, such as
   * Bun's, no caller is recognized: a close that is awaited from within takes its whole
   * `timeoutMs`, and `commit()` in a handler of `run` leaves out the handler's own record.
   *
   * A static member, one with an `instanceId`, does not leave: its partitions wait for it until its
   * session times out. With `leave` they do not.
   */
  async close(options: ConsumerCloseOptions = {}): Promise<void> {
    checkOptions<ConsumerCloseOptions>("close", options, closeRules);
    const { leave: forGood = false, timeoutMs = CLOSE_TIMEOUT_MS } = options;
    this.#isClosed = true;
    this.#inFlight.release();
    await this.#reader?.leave({ forGood, timeoutMs });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #beginLoop(): [GroupReader<T, K>, InHand] {
    const inHand = new InHand();
    const reader = this.#begin(inHand);
    return [reader, inHand];
  }

  #begin(inFlight: InFlight): GroupReader<T, K> {
    if (this.#reader !== undefined && !this.#reader.merge.hasEnded) {
      throw new InvalidArgumentError("this consumer is reading already: use another one for another loop");
    }
    this.#registry.addReader(this);
    this.#inFlight = inFlight;
    const reader: GroupReader<T, K> = new GroupReader(this.#api, this.#options, inFlight, () => {
      if (this.#reader === reader) this.#registry.delete(this); // else another loop has begun
    });
    this.#reader = reader;
    if (this.#isClosed) reader.merge.end();
    else reader.start();
    return reader;
  }

  #leaving(reader: GroupReader<T, K>, inHand: InHand): Leaving {
    const left = () => {
      inHand.abandon();
      return reader.leave();
    };
    return { left, body: inHand.body };
  }

  #running(): GroupReader<T, K> {
    if (this.#reader !== undefined) return this.#reader;
    throw new InvalidArgumentError("this consumer is not reading yet: begin a loop first");
  }
}

/** One past the last record of what a consumer handed out. */
function endOf(processed: ConsumerRecord<unknown, unknown> | ConsumerBatch<unknown, unknown>) {
  const {
    topic,
    partition,
    offset,
    nextOffset = (offset ?? Number.NaN) + 1,
  } = Object(processed) as {
    readonly topic: string;
    readonly partition: number;
    readonly offset?: number;
    readonly nextOffset?: number;
  };
  if (typeof topic === "string" && Number.isSafeInteger(partition) && Number.isSafeInteger(nextOffset)) {
    return { topic, partition, offset: nextOffset };
  }
  throw new InvalidArgumentError(
    `commit takes a record or a batch that a consumer handed out, or a topic, a partition and an offset, not ${shown(processed)}`,
  );
}
