import { checkOptions, func, type OptionRules } from "@logstore/codec";
import { isEndKnown, type LogApi, type PartitionOffset } from "@logstore/protocol";
import type { Registry } from "../common/registry.js";
import { hasCode } from "../common/retry.js";
import { Consumer } from "../consumer/consumer.js";
import { Producer } from "../producer/producer.js";
import type { SkippedRecords } from "../reader/partition-state.js";
import { Reader } from "../reader/reader.js";
import { fromParked, type ParkedRecord, parkedTopic, REPLAYED_HEADER } from "../run/parked-record.js";

/** Options of `parked.replay()`. */
export interface ReplayOptions {
  /**
   * Selects the records to replay. The others stay parked: they move behind records that were
   * parked later. Default: all records. Without `to`, records that were parked without their value
   * always stay.
   */
  readonly filter?: ((record: ParkedRecord) => boolean | Promise<boolean>) | undefined;
  /**
   * Receives each record instead of the topic that it came from. If it throws, the replay ends with
   * that error and the record stays parked. Default: the record is sent to its topic.
   */
  readonly to?: ((record: ParkedRecord) => void | Promise<void>) | undefined;
}

const replayRules: OptionRules<ReplayOptions> = { filter: func, to: func };

/** The result of a replay. */
export interface ReplayResult {
  /** Number of records that were sent again, or given to `to`. */
  readonly replayed: number;
  /**
   * Number of records that stay parked: the filter did not select them, or their value is missing.
   */
  readonly kept: number;
}

/**
 * The records of a topic that a group parked and that were not replayed yet. Iterating lists them
 * in the order in which they were parked.
 */
export class ParkedRecords implements AsyncIterable<ParkedRecord> {
  /** The topic that contains the parked records. */
  readonly topic: string;
  /** A group whose committed offset is that of the first record that was not replayed. */
  readonly #replayGroup: string;
  readonly #api: LogApi;
  readonly #registry: Registry;

  /** @internal Made by `client.parked()`. */
  constructor(api: LogApi, topic: string, group: string, registry: Registry) {
    this.topic = parkedTopic(topic, group);
    this.#replayGroup = `${group}.replay`;
    this.#api = api;
    this.#registry = registry;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ParkedRecord, void, undefined> {
    const { from, end, topicId } = await this.#remaining();
    if (from >= end) return;
    const options = { assign: { [this.topic]: [0] }, from, until: end };
    for await (const record of new Reader(this.#api, options, this.#registry, topicId)) yield fromParked(record);
  }

  /**
   * Sends the records that are parked now to the topics and partitions that they came from, with
   * the header `logstore-replayed-from`. Replayed records are deleted from the parked topic when
   * the replay ends. If the process ends during a replay, the record that was being replayed may be
   * replayed again.
   *
   * Of several concurrent replays, one works and the others wait.
   *
   * @throws PermissionDeniedError, before anything is replayed, where records of the parked topic
   * may not be deleted; InconsistentTopicIdError where the topic of a record was deleted and
   * created anew: the replay ends and the record stays parked; replay it with `to`, or exclude it
   * with `filter`
   */
  async replay(options: ReplayOptions = {}): Promise<ReplayResult> {
    checkOptions<ReplayOptions>("replay", options, replayRules);
    const { filter = () => true, to } = options;
    const { from, end: endOfTopic, topicId } = await this.#remaining();
    let end = endOfTopic;
    const result = { replayed: 0, kept: 0 };
    // Deletes what an earlier replay has left. A committed offset may expire, so replayed records
    // must be deleted before that.
    if (end > 0) await this.#api.deleteRecords(this.topic, 0, from, { topicId });
    if (from >= end) return result;
    let done = from;
    const producers = new Producers(this.#api, this.#registry);
    const groupOptions = {
      group: this.#replayGroup,
      topics: [this.topic],
      commit: "manual",
      onAssigned: () => begin(),
      onSkipped: (skipped: SkippedRecords) => {
        // If the skipped records include the last one, the replay ends at the record before them.
        if (skipped.to >= end) end = Math.min(end, skipped.from);
        if (done >= end) consumer.close().catch(() => {}); // the loop reports it
      },
    } as const;
    const consumer = new Consumer(this.#api, groupOptions, this.#registry);
    const begin = () => {
      // Another replay may have finished meanwhile.
      if ((consumer.position(this.topic, 0) ?? 0) >= end) consumer.close().catch(() => {}); // the loop reports it
    };
    try {
      for await (const record of consumer) {
        const parked = fromParked(record);
        const isWhole = to !== undefined || !parked.isLeftOut;
        if (!isWhole || !(await filter(parked))) {
          await producers.send({ topic: this.topic, topicId }, record);
          result.kept++;
        } else {
          if (to !== undefined) await to(parked);
          else await producers.send(parked, this.#replayed(parked));
          result.replayed++;
        }
        await consumer.commit();
        done = record.offset + 1;
        if (record.offset + 1 >= end) break;
      }
    } finally {
      try {
        await producers.close();
      } finally {
        if (done > from) await this.#api.deleteRecords(this.topic, 0, done, { topicId });
      }
    }
    return result;
  }

  #replayed({ headers, parkedOffset, ...record }: ParkedRecord): ParkedRecord {
    const mark = { name: REPLAYED_HEADER, value: Buffer.from(`${this.topic}/0/${parkedOffset}`) };
    const others = headers.filter(({ name }) => name !== REPLAYED_HEADER);
    return { ...record, headers: [...others, mark], parkedOffset };
  }

  /**
   * Resolves to the offset of the first record that was not replayed, and the end of the topic now.
   */
  async #remaining(): Promise<{ readonly from: number; readonly end: number; readonly topicId?: string | undefined }> {
    let bounds: PartitionOffset;
    try {
      [bounds] = (await this.#api.listOffsets({
        topic: this.topic,
        partitions: [{ partition: 0, position: "latest" }],
      })) as [PartitionOffset];
    } catch (error) {
      if (hasCode(error, "UNKNOWN_TOPIC")) return { from: 0, end: 0 }; // no record was ever parked
      throw error;
    }
    const committed = await this.#committed();
    // The end of a damaged log is unknown: reading goes on until it fails at the damage.
    const end = isEndKnown(bounds) ? bounds.offset : Number.MAX_SAFE_INTEGER;
    const from = Math.min(Math.max(committed, bounds.logStartOffset), end);
    return { from, end, topicId: bounds.topicId || undefined };
  }

  async #committed(): Promise<number> {
    try {
      const [committed] = await this.#api.fetchOffsets(this.#replayGroup, [{ topic: this.topic, partition: 0 }]);
      return committed?.offset ?? 0;
    } catch (error) {
      if (hasCode(error, "UNKNOWN_GROUP")) return 0;
      throw error;
    }
  }
}

type RawRecord = Pick<ParkedRecord, "partition" | "key" | "value" | "timestamp" | "headers">;

/** Producers for the topics of replayed records, one for each topic and id. */
class Producers {
  readonly #api: LogApi;
  readonly #registry: Registry;
  readonly #byTopic = new Map<string, Producer<Uint8Array>>();

  constructor(api: LogApi, registry: Registry) {
    this.#api = api;
    this.#registry = registry;
  }

  /**
   * @throws InconsistentTopicIdError where the topic has another id than `topicId`, if that is
   * given
   */
  async send(
    { topic, topicId }: { readonly topic: string; readonly topicId?: string | undefined },
    { partition, key, value, timestamp, headers }: RawRecord,
  ): Promise<void> {
    const name = `${topic}/${topicId ?? ""}`;
    let producer = this.#byTopic.get(name);
    if (producer === undefined) {
      producer = new Producer<Uint8Array>(this.#api, topic, {}, this.#registry, {
        onlyTopicId: topicId,
        isStrongest: true,
      });
      this.#byTopic.set(name, producer);
    }
    await producer.send({ partition, key, value, timestamp, headers });
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#byTopic.values(), (producer) => producer.close()));
  }
}
