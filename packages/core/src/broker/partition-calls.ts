/** The calls for partitions: produce, consume, fetch, list offsets, delete records. */
import { LogStoreError } from "@logstore/codec";
import type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  ListOffsetsRequest,
  PartitionOffset,
  Position,
  ProduceAck,
  ProduceRequest,
} from "@logstore/protocol";
import type { Cluster } from "../engine/cluster.js";
import type { PartitionLog } from "../engine/partition-log.js";
import type { Topic } from "../engine/topic-catalogue.js";
import { stoppable } from "../store/stoppable.js";
import { boundsOf } from "./bounds.js";
import { checkPartitionOwner } from "./check-owner.js";
import { consume } from "./consume.js";
import { fetch } from "./fetch.js";
import { listPositions } from "./list-offsets.js";
import { OwnedReadings } from "./owned-readings.js";

interface TopicsByName {
  /**
   * Returns an open topic; a promise if it has to be looked up.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, UnavailableError
   */
  get(topic: string, topicId?: string): Topic | Promise<Topic>;
}

export class PartitionCalls {
  readonly #topics: TopicsByName;
  readonly #cluster: Cluster | undefined;
  readonly #readings: OwnedReadings | undefined;

  /** @param cluster default: this broker owns all partitions */
  constructor(topics: TopicsByName, cluster?: Cluster) {
    this.#topics = topics;
    this.#cluster = cluster;
    this.#readings = cluster && new OwnedReadings(cluster);
  }

  async produce({
    topic,
    topicId,
    partition,
    batches,
    isOwned,
    durability,
    expectedOffset,
  }: ProduceRequest): Promise<ProduceAck> {
    try {
      const found = this.#topics.get(topic, topicId);
      // Not awaited without need: appends take effect in the order of the calls.
      const log = this.#owned(found instanceof Promise ? await found : found, partition);
      const appended = await log.appendBatches(batches, { durability, expectedOffset, isOwned });
      return { ...appended, logEndOffset: log.offsets.logEnd };
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  consume(request: ConsumeRequest, options: ConsumeOptions): AsyncGenerator<ConsumeEvent, void> {
    const { topic, topicId, partition } = request;
    return stoppable((stop) => {
      const signal = eitherOf(options.signal, stop);
      const placed = (error: unknown) => within(topic, partition, error);
      const readings = this.#readings;
      if (readings !== undefined) return this.#consumeOwned(readings, request, { ...options, signal }, placed);
      return consume(() => this.#log(topic, topicId, partition), request, { ...options, signal }, placed);
    });
  }

  /** Also ends when another broker has become the owner. */
  async *#consumeOwned(
    readings: OwnedReadings,
    request: ConsumeRequest,
    options: ConsumeOptions,
    placed: (error: unknown) => unknown,
  ): AsyncGenerator<ConsumeEvent, void> {
    const { topic, topicId, partition } = request;
    try {
      const found = await this.#topics.get(topic, topicId);
      const log = await this.#refreshed(found, partition);
      const { moved, end } = readings.begin(found.id, partition);
      try {
        yield* consume(async () => log, request, { ...options, signal: eitherOf(options.signal, moved) }, placed);
      } finally {
        end();
      }
      checkPartitionOwner(this.#cluster, found.id, partition);
    } catch (error) {
      throw placed(error);
    }
  }

  async fetch(request: FetchRequest, options: FetchOptions): Promise<FetchResult> {
    const { topic, topicId, partition } = request;
    try {
      return await fetch(await this.#log(topic, topicId, partition), request, options);
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  async listOffsets({ topic, topicId, partitions }: ListOffsetsRequest): Promise<PartitionOffset[]> {
    const found = await this.#topics.get(topic, topicId);
    return listPositions(partitions, async (partition, position) => {
      try {
        const log = this.#owned(found, partition);
        await log.refresh();
        const resolved = await log.resolve(position);
        // A requested offset must exist. For any other position, the log start may have moved while
        // the position was looked up.
        const isExact = typeof position === "number";
        const offset = isExact ? log.reader(resolved).offset : Math.max(resolved, log.offsets.logStart);
        return { topicId: found.id, partition, offset, ...boundsOf(log) };
      } catch (error) {
        throw within(topic, partition, error);
      }
    });
  }

  /** Resolves to the new log start offset once it is durable. */
  async deleteRecords(
    topic: string,
    partition: number,
    before: Position,
    topicId: string | undefined,
  ): Promise<number> {
    try {
      const log = await this.#log(topic, topicId, partition);
      await log.deleteRecords(await log.resolve(before));
      return log.offsets.logStart;
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  /**
   * Returns a log with bounds of now.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError, NotOwnerError,
   * UnavailableError
   */
  async #log(topic: string, topicId: string | undefined, partition: number): Promise<PartitionLog> {
    return this.#refreshed(await this.#topics.get(topic, topicId), partition);
  }

  async #refreshed(topic: Topic, partition: number): Promise<PartitionLog> {
    const log = this.#owned(topic, partition);
    await log.refresh();
    return log;
  }

  /** @throws UnknownPartitionError, NotOwnerError */
  #owned(topic: Topic, partition: number): PartitionLog {
    const log = topic.log(partition);
    checkPartitionOwner(this.#cluster, topic.id, partition);
    return log;
  }
}

/** Adds the topic to an error of a partition, which does not know its topic. */
function within(topic: string, partition: number, error: unknown): unknown {
  if (!(error instanceof LogStoreError) || error.topic !== undefined) return error;
  return error.with({ topic, partition });
}

function eitherOf(signal: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return signal === undefined ? other : AbortSignal.any([signal, other]);
}
