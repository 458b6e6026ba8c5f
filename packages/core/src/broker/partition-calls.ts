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
import type { PartitionLog } from "../engine/partition-log.js";
import type { Topic } from "../engine/topic-catalogue.js";
import { stoppable } from "../store/stoppable.js";
import { boundsOf } from "./bounds.js";
import { consume } from "./consume.js";
import { fetch } from "./fetch.js";
import { listPositions } from "./list-offsets.js";

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

  constructor(topics: TopicsByName) {
    this.#topics = topics;
  }

  async produce({
    topic,
    topicId,
    partition,
    batches,
    durability,
    expectedOffset,
  }: ProduceRequest): Promise<ProduceAck> {
    try {
      const found = this.#topics.get(topic, topicId);
      // Not awaited without need: appends take effect in the order of the calls.
      const log = (found instanceof Promise ? await found : found).log(partition);
      const appended = await log.appendBatches(batches, { durability, expectedOffset });
      return { ...appended, logEndOffset: log.offsets.logEnd };
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  consume(request: ConsumeRequest, options: ConsumeOptions): AsyncGenerator<ConsumeEvent, void> {
    return stoppable((stop) => {
      const { signal } = options;
      const either = signal === undefined ? stop : AbortSignal.any([signal, stop]);
      return this.#consume(request, { ...options, signal: either });
    });
  }

  async *#consume(request: ConsumeRequest, options: ConsumeOptions): AsyncGenerator<ConsumeEvent, void> {
    const { topic, topicId, partition } = request;
    try {
      yield* consume(await this.#log(topic, topicId, partition), request, options);
    } catch (error) {
      throw within(topic, partition, error);
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
        const log = found.log(partition);
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
   * @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError, UnavailableError
   */
  async #log(topic: string, topicId: string | undefined, partition: number): Promise<PartitionLog> {
    const log = (await this.#topics.get(topic, topicId)).log(partition);
    await log.refresh();
    return log;
  }
}

/** Adds the topic to an error of a partition, which does not know its topic. */
function within(topic: string, partition: number, error: unknown): unknown {
  if (!(error instanceof LogStoreError) || error.topic !== undefined) return error;
  return error.with({ topic, partition });
}
