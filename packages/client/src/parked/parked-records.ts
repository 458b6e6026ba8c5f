import { checkOptions, func, type OptionRules } from "@logstore/codec";
import { isEndKnown, type LogApi, type PartitionOffset } from "@logstore/protocol";
import type { Registry } from "../common/registry.js";
import { hasCode } from "../common/retry.js";
import { Consumer } from "../consumer/consumer.js";
import { Producer } from "../producer/producer.js";
import type { SkippedRecords } from "../reader/partition-state.js";
import { Reader } from "../reader/reader.js";
import { fromParked, type ParkedRecord, parkedTopic, REPLAYED_HEADER } from "../run/parked-record.js";

/** Which parked records are replayed, and where to. */
export interface ReplayOptions {
  /**
   * Which records to replay. The others stay: they are put behind those that were parked since.
   * Default: all. Without `to`, those that were put aside without their value stay, too.
   */
  readonly filter?: ((record: ParkedRecord) => boolean | Promise<boolean>) | undefined;
  /**
   * Gets each record in place of the topic that it came from. Where it throws, the replay ends with
   * that, and the record stays.
   */
  readonly to?: ((record: ParkedRecord) => void | Promise<void>) | undefined;
}

const replayRules: OptionRules<ReplayOptions> = { filter: func, to: func };

/** Counts of the records that a replay came to. */
export interface ReplayResult {
  /** Records that were sent again, or given to `to`. */
  readonly replayed: number;
  /** Left by the filter, or without a value that could be replayed. */
  readonly kept: number;
}

/**
 * The records of a topic that a group put aside, and that were not replayed since. Iterating lists
 * them, in that order.
 */
export class ParkedRecords implements AsyncIterable<ParkedRecord> {
  /** The topic that they lie in. */
  readonly topic: string;
  /** What was replayed, and is not deleted yet, is before the committed offset of this group. */
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
   * Sends those that are there now to where they came from, again: to the same partition, with the
   * header `logstore-replayed-from`. What was replayed is deleted from the parked topic when the
   * replay ends. Should this process die meanwhile, the record it was at may be replayed twice.
   *
   * Of several replays at a time, one works and the others wait.
   *
   * @throws PermissionDeniedError, before anything is replayed, where records of the parked topic
   * may not be deleted; InconsistentTopicIdError where the topic that a record came from was made
   * anew: the replay ends there and the record stays, for `to` or `filter` to decide about
   */
  async replay(options: ReplayOptions = {}): Promise<ReplayResult> {
    checkOptions<ReplayOptions>("replay", options, replayRules);
    const { filter = () => true, to } = options;
    const { from, end: endOfTopic, topicId } = await this.#remaining();
    let end = endOfTopic;
    const result = { replayed: 0, kept: 0 };
    // What an earlier replay has left. A commit does not last for ever: what was replayed must be
    // gone before it is.
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
        // Nothing is left behind what was skipped: the replay ends at the last record before it.
        if (skipped.to >= end) end = Math.min(end, skipped.from);
        if (done >= end) consumer.close().catch(() => {}); // the loop reports it
      },
    } as const;
    const consumer = new Consumer(this.#api, groupOptions, this.#registry);
    const begin = () => {
      // Somebody else may have replayed everything meanwhile.
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

  /** The first record that was not replayed, and where the topic ends now. */
  async #remaining(): Promise<{ readonly from: number; readonly end: number; readonly topicId?: string | undefined }> {
    let bounds: PartitionOffset;
    try {
      [bounds] = (await this.#api.listOffsets({
        topic: this.topic,
        partitions: [{ partition: 0, position: "latest" }],
      })) as [PartitionOffset];
    } catch (error) {
      if (hasCode(error, "UNKNOWN_TOPIC")) return { from: 0, end: 0 }; // nothing was ever put aside
      throw error;
    }
    const committed = await this.#committed();
    // Where a damaged log ends is not known: reading goes on until the damage ends it with its
    // error.
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

/** One a topic and id, as they are needed. */
class Producers {
  readonly #api: LogApi;
  readonly #registry: Registry;
  readonly #byTopic = new Map<string, Producer<Uint8Array>>();

  constructor(api: LogApi, registry: Registry) {
    this.#api = api;
    this.#registry = registry;
  }

  /** @throws InconsistentTopicIdError where the topic has another id than that, if it is given */
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
