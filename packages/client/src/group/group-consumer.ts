import { InvalidArgumentError } from "@logstore/codec";
import type { LogApi, TopicPartition } from "@logstore/protocol";
import { type ConsumerBatch, nextBatch } from "../consumer/consumer-batch.js";
import { type ConsumerRecord, RecordFormat } from "../consumer/consumer-record.js";
import { PullIterator } from "../consumer/pull-iterator.js";
import { RecordSource } from "../consumer/record-source.js";
import { ParkingLot } from "../parked/parking-lot.js";
import type { RunOptions } from "../run/run-options.js";
import { Runner } from "../run/runner.js";
import type { GroupConsumerOptions } from "./group-options.js";
import { GroupReader } from "./group-reader.js";
import { type InFlight, InHand } from "./in-flight.js";
import type { OwnedPartition } from "./owned-partition.js";

/**
 * A member of a consumer group: reads the partitions that the group gives it, record by record or batch by batch. A loop joins
 * the group, and leaves it when it ends, however it ends; a static member keeps its place for as long as its session.
 *
 * A record counts as processed when the loop asks for the next one, and what was processed is committed now and then, before a
 * partition goes to another member, and when the loop ends. What was in hand when a loop was left is not committed: somebody gets
 * it again.
 */
export class GroupConsumer<T = Uint8Array, K = Uint8Array>
  implements AsyncIterable<ConsumerRecord<T, K>>, AsyncDisposable
{
  readonly group: string;
  readonly #api: LogApi;
  readonly #options: GroupConsumerOptions<T, K>;
  readonly #format: RecordFormat<T, K>;
  /** Where it is while it reads, so that whoever made it can close it. */
  readonly #open: Set<{ close(): unknown }>;
  #reader: GroupReader<T, K> | undefined;
  #inHand = new InHand();
  #isClosed = false;

  /** Made by `client.consumer()`. */
  constructor(api: LogApi, options: GroupConsumerOptions<T, K>, open: Set<{ close(): unknown }>) {
    this.group = options.group;
    this.#api = api;
    this.#options = options;
    this.#format = new RecordFormat(options);
    this.#open = open;
  }

  /**
   * @throws (while iterating) CorruptBatchError, InvalidValueError; NoCommittedOffsetError, OffsetOutOfRangeError where `from` is
   * "none"; what a hook throws; the signal's reason; InvalidArgumentError, PermissionDeniedError, … as the group answers
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
    return new PullIterator(reader.merge, pull, () => this.#left(reader, inHand));
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
    return new PullIterator(reader.merge, pull, () => this.#left(reader, inHand));
  }

  /**
   * Processes records by key in order, keys in parallel; records without a key are all processed in parallel. A record that fails is
   * tried again with growing pauses, while only those of its key wait. One that keeps failing is put aside in
   * `<topic>.<group>.parked`, and its key goes on: see `client.parked()`. Commits only what everything before is done, too.
   *
   * Resolves when `signal` aborts or the consumer is closed, and what is worked on is done; `eachRecord` must not wait for that.
   *
   * @throws what a loop throws; what `eachRecord` threw last where `park` is false; why a record could not be parked
   */
  async run(options: RunOptions<T, K>): Promise<void> {
    const lot = options.park === false ? undefined : new ParkingLot(this.#api, this.#options);
    const runner = new Runner(this.#format, options, lot && ((record, failure) => lot.park(record, failure)));
    try {
      await runner.run(this.#begin(runner));
    } finally {
      await lot?.close();
    }
  }

  /** The partitions that are this member's now. */
  get assignment(): TopicPartition[] {
    return (this.#reader?.rebalance.owned ?? []).map(({ topic, partition }) => ({ topic, partition }));
  }

  /** Offset of the next record to be handed out; undefined where it is not known yet, or the partition is not this member's. */
  position(topic: string, partition: number): number | undefined {
    return this.#reader?.rebalance.find(topic, partition)?.position;
  }

  /** The offset that the group goes on at when this member is gone; undefined as above, and where nothing was committed. */
  committed(topic: string, partition: number): number | undefined {
    return this.#reader?.rebalance.find(topic, partition)?.committed;
  }

  /** Records between the position and the high watermark, as it was last heard of. */
  lag(topic: string, partition: number): number | undefined {
    return this.#reader?.rebalance.find(topic, partition)?.lag;
  }

  /** How long the records of the lag have waited at most, ms; 0 where there are none. */
  lagMs(topic: string, partition: number): number | undefined {
    return this.#reader?.rebalance.find(topic, partition)?.lagMs;
  }

  /**
   * Commits everything that was handed out, what is in hand included: to be called when that is done. Resolves when it is durable;
   * partitions that are somebody else's by now are left out.
   *
   * @throws UnavailableError
   */
  commit(): Promise<void>;
  /**
   * Commits an offset, one past the last record that was processed, with up to 4 KiB of metadata. Below what is committed already it changes nothing.
   *
   * @throws FencedMemberError where the partition is somebody else's, or was reset meanwhile; UnavailableError
   */
  commit(topic: string, partition: number, offset: number, metadata?: string): Promise<void>;
  async commit(topic?: string, partition = 0, offset = 0, metadata?: string): Promise<void> {
    const reader = this.#running();
    if (topic !== undefined) return reader.commit(topic, partition, offset, metadata);
    this.#inHand.count();
    await reader.commitProcessed();
  }

  /** Goes on at another offset, also in the middle of a loop. @throws InvalidArgumentError where it is not this member's */
  seek(topic: string, partition: number, offset: number): void {
    const { rebalance } = this.#running();
    const owned = rebalance.get(topic, partition);
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
   * Ends the loop, quietly, and every later one. Waits, 10 s at most, until the loop is done with what it has in hand, commits, and
   * leaves the group, so that its partitions go to others at once. Within a loop, `break` does the same.
   *
   * A static member, one with an `instanceId`, does not leave: its partitions wait for it until its session times out. With `leave`
   * they do not.
   */
  async close({ leave = false }: { readonly leave?: boolean | undefined } = {}): Promise<void> {
    this.#isClosed = true;
    await this.#reader?.leave(leave);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #beginLoop(): [GroupReader<T, K>, InHand] {
    const inHand = new InHand();
    const reader = this.#begin(inHand);
    this.#inHand = inHand;
    return [reader, inHand];
  }

  #begin(inFlight: InFlight): GroupReader<T, K> {
    if (this.#reader !== undefined && !this.#reader.merge.hasEnded) {
      throw new InvalidArgumentError("this consumer is reading already: use another one for another loop");
    }
    this.#open.add(this);
    const reader: GroupReader<T, K> = new GroupReader(this.#api, this.#options, inFlight, () => {
      if (this.#reader === reader) this.#open.delete(this); // else another loop has begun
    });
    this.#reader = reader;
    if (this.#isClosed) reader.merge.end();
    else reader.start();
    return reader;
  }

  #left(reader: GroupReader<T, K>, inHand: InHand): Promise<void> {
    inHand.abandon();
    return reader.leave();
  }

  #running(): GroupReader<T, K> {
    if (this.#reader !== undefined) return this.#reader;
    throw new InvalidArgumentError("this consumer is not reading yet: begin a loop first");
  }
}
