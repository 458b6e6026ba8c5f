import {
  type Bytes,
  checkArgument,
  checkOptions,
  either,
  InvalidArgumentError,
  listOf,
  nonEmptyString,
  type OptionRule,
  type OptionRules,
  objectWith,
  oneOf,
  required,
  shown,
  wholeNumber,
} from "@logstore/codec";
import type {
  CommittedOffset,
  GroupDescription,
  GroupSummary,
  LogApi,
  PartitionOffset,
  ResetOffsetsRequest,
  ServerDescription,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicOptions,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";
import { Consumer } from "./consumer/consumer.js";
import type { ConsumerOptions } from "./consumer/consumer-options.js";
import { GroupConsumer } from "./group/group-consumer.js";
import type { GroupConsumerOptions } from "./group/group-options.js";
import { ParkedRecords } from "./parked/parked-records.js";
import { type PositionInput, positionRule, toPosition } from "./position.js";
import { Appenders } from "./producer/appenders.js";
import type { AppendAck, AppendOptions } from "./producer/partition-appender.js";
import { Producer, type ProducerOptions, type ProducerRecord } from "./producer/producer.js";
import { type CloseOptions, checkCloseOptions, Registry } from "./registry.js";

export interface CreateTopicOptions extends TopicConfig {
  /** How many partitions the topic has, from the first to the last of its days. */
  readonly partitions: number;
  /**
   * Where the topic exists with as many partitions, resolve to it as it is: its configuration is
   * neither compared nor changed. Default false: a topic that exists is an error.
   */
  readonly ifNotExists?: boolean | undefined;
}

/** Which committed offsets to set, and where to. */
export interface ResetOffsets extends Omit<ResetOffsetsRequest, "group" | "to"> {
  /**
   * An offset beyond a partition's bounds becomes the nearest one within. `shiftBy`: so many
   * records further, or back.
   */
  readonly to: PositionInput | { readonly shiftBy: number };
}

const topicConfigRules: OptionRules<TopicConfig> = {
  durability: oneOf("written", "flushed"),
  segmentBytes: wholeNumber(),
  maxBatchBytes: wholeNumber(),
  retentionMs: wholeNumber(),
  retentionBytes: wholeNumber(),
};

const createTopicRules: OptionRules<CreateTopicOptions> = {
  ...topicConfigRules,
  partitions: required(wholeNumber({ min: 1, max: 2 ** 32 - 1 })),
  ifNotExists: oneOf(true, false),
};

const orNull = (rule: OptionRule): OptionRule => either(rule, oneOf(null));
const topicConfigChangeRules: OptionRules<TopicConfigChange> = {
  durability: orNull(topicConfigRules.durability),
  segmentBytes: orNull(topicConfigRules.segmentBytes),
  maxBatchBytes: orNull(topicConfigRules.maxBatchBytes),
  retentionMs: orNull(topicConfigRules.retentionMs),
  retentionBytes: orNull(topicConfigRules.retentionBytes),
};

const shiftRule: OptionRule = (value) => {
  return Number.isSafeInteger(Object(value).shiftBy) ? undefined : "{ shiftBy: a whole number of records }";
};

const resetRules: OptionRules<ResetOffsets> = {
  partitions: listOf(objectWith(), { min: 0 }),
  to: required(either(positionRule, shiftRule)),
};

const topicRules: OptionRules<TopicOptions> = { topicId: nonEmptyString };

function checkTopicOptions(owner: string, options: TopicOptions | undefined): void {
  if (options !== undefined) checkOptions<TopicOptions>(owner, options, topicRules);
}

/** Topics, producers and consumers of one log, wherever it is. Made by `connect`. */
export class LogClient implements AsyncDisposable {
  readonly #api: LogApi;
  readonly #closeApi: () => void;
  readonly #registry = new Registry();
  readonly #appenders: Appenders;
  #closing: Promise<void> | undefined;

  constructor(api: LogApi, closeApi: () => void) {
    this.#api = api;
    this.#closeApi = closeApi;
    this.#appenders = new Appenders(api, this.#registry);
  }

  /**
   * `options` may say more of the topic: its durability, retention, sizes.
   *
   * @throws TopicExistsError, with `ifNotExists` only where the topic has another number of
   * partitions; InvalidArgumentError
   */
  async createTopic(topic: string, options: CreateTopicOptions): Promise<TopicDescription> {
    checkOptions<CreateTopicOptions>("createTopic", options, createTopicRules);
    const { partitions, ifNotExists, ...config } = options;
    return this.#api.createTopic({ topic, partitions, config, ifNotExists });
  }

  /** Release and limits of the server: the largest batch, calls on a connection, connections. */
  describeServer(): Promise<ServerDescription> {
    return this.#api.describeServer();
  }

  listTopics(): Promise<TopicSummary[]> {
    return this.#api.listTopics();
  }

  /** @throws UnknownTopicError */
  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#api.describeTopic(topic);
  }

  /**
   * Alters a topic's configuration, at once and for good: what is left out stays, what is null goes
   * back to the server's own.
   *
   * @throws UnknownTopicError, InvalidArgumentError, and nothing is changed;
   * InconsistentTopicIdError where `options.topicId` is not the topic's
   */
  async alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    checkOptions<TopicConfigChange>("alterTopicConfig", change, topicConfigChangeRules);
    checkTopicOptions("alterTopicConfig", options);
    return this.#api.alterTopicConfig(topic, change, options);
  }

  /**
   * Deletes a topic with all its records, for good. Its snapshots stay.
   *
   * @throws UnknownTopicError; InconsistentTopicIdError where `options.topicId` is not the topic's
   */
  async deleteTopic(topic: string, options?: TopicOptions): Promise<void> {
    checkTopicOptions("deleteTopic", options);
    return this.#api.deleteTopic(topic, options);
  }

  /**
   * Deletes every record of a partition before a position. Resolves to the log start offset when
   * that is durable.
   *
   * @throws UnknownTopicError, UnknownPartitionError, OffsetOutOfRangeError;
   * InconsistentTopicIdError where `options.topicId` is not the topic's
   */
  async deleteRecords(
    topic: string,
    partition: number,
    before: PositionInput,
    options?: TopicOptions,
  ): Promise<number> {
    checkTopicOptions("deleteRecords", options);
    return this.#api.deleteRecords(topic, partition, toPosition("deleteRecords", "before", before), options);
  }

  /**
   * Copies a topic, beside the server's data, as it is at one moment, without stopping who writes:
   * whatever topic has the name.
   *
   * @throws UnknownTopicError, SnapshotExistsError, InvalidArgumentError
   */
  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#api.createSnapshot(topic, snapshot);
  }

  /** Snapshots of one topic, also of one that was deleted, or of all. */
  listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    return this.#api.listSnapshots(topic);
  }

  /** @throws UnknownSnapshotError */
  deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    return this.#api.deleteSnapshot(topic, snapshot);
  }

  /**
   * Makes a new topic of a snapshot, with an id of its own, and its records at their offsets.
   * @throws UnknownSnapshotError, TopicExistsError
   */
  restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    return this.#api.restoreSnapshot(topic, snapshot, newTopic);
  }

  /**
   * Offsets of positions and times, in the order of the request.
   *
   * @throws UnknownTopicError, UnknownPartitionError; InconsistentTopicIdError where
   * `options.topicId` is not the topic's
   */
  async listOffsets(
    topic: string,
    partitions: readonly { readonly partition: number; readonly position: PositionInput }[],
    options?: TopicOptions,
  ): Promise<PartitionOffset[]> {
    checkTopicOptions("listOffsets", options);
    if (!Array.isArray(partitions)) {
      throw new InvalidArgumentError(`listOffsets: partitions must be a list, not ${shown(partitions)}`, { topic });
    }
    return this.#api.listOffsets({
      topic,
      topicId: options?.topicId,
      partitions: partitions.map(({ partition, position }) => {
        return { partition, position: toPosition("listOffsets", "position", position) };
      }),
    });
  }

  /**
   * `Input`, what may be sent, comes from the schema or serializer; without either, strings and
   * bytes.
   */
  producer<Input = Bytes>(topic: string, options: ProducerOptions<Input> = {}): Producer<Input> {
    checkArgument("producer", "topic", topic, required(nonEmptyString));
    return new Producer(this.#api, topic, options, this.#registry);
  }

  /**
   * Appends records to a partition as one batch: all of them or none, one after another. With an
   * expected offset, only where nobody else has appended since: what event sourcing needs. Appends
   * of a client to a partition take effect in the order in which they are made; beside those of its
   * producers they come as they come.
   *
   * @throws WrongExpectedOffsetError: nothing was appended; look at what was, and try again.
   * BatchTooLargeError, InvalidValueError, UnknownTopicError, UnknownPartitionError;
   * DeliveryTimeoutError: not known
   */
  async append<Input = Bytes>(
    topic: string,
    partition: number,
    records: readonly Omit<ProducerRecord<Input>, "partition">[],
    options: AppendOptions<Input> = {},
  ): Promise<AppendAck> {
    checkArgument("append", "topic", topic, required(nonEmptyString));
    checkArgument("append", "partition", partition, required(wholeNumber({ max: 2 ** 32 - 1 })));
    return this.#appenders.of(topic, partition).append(records, options);
  }

  /**
   * A member of a consumer group with `group` and `topics`, or a reader of its own with `assign`.
   * `T` and `K`, what values and keys are, come from the schema or serializers; without them,
   * bytes.
   */
  consumer<T = Uint8Array, K = Uint8Array>(options: GroupConsumerOptions<T, K>): GroupConsumer<T, K>;
  consumer<T = Uint8Array, K = Uint8Array>(options: ConsumerOptions<T, K>): Consumer<T, K>;
  consumer<T, K>(options: GroupConsumerOptions<T, K> | ConsumerOptions<T, K>): GroupConsumer<T, K> | Consumer<T, K> {
    // Topics without partitions can only be meant for a group: a misspelt `group` is reported as
    // that.
    const { group, topics, assign } = Object(options);
    const isGroup = group !== undefined || (topics !== undefined && assign === undefined);
    if (isGroup) return new GroupConsumer(this.#api, options as GroupConsumerOptions<T, K>, this.#registry);
    return new Consumer(this.#api, options as ConsumerOptions<T, K>, this.#registry);
  }

  /** What a group put aside of a topic: to be listed, and replayed. */
  parked(topic: string, group: string): ParkedRecords {
    checkArgument("parked", "topic", topic, required(nonEmptyString));
    checkArgument("parked", "group", group, required(nonEmptyString));
    return new ParkedRecords(this.#api, topic, group, this.#registry);
  }

  /** By name. */
  listGroups(): Promise<GroupSummary[]> {
    return this.#api.listGroups();
  }

  /** Members, who has what, and how far behind each partition is. @throws UnknownGroupError */
  describeGroup(group: string): Promise<GroupDescription> {
    return this.#api.describeGroup(group);
  }

  /**
   * What a group committed: all of it, or of these partitions; those without a commit are left out.
   * @throws UnknownGroupError
   */
  committedOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#api.fetchOffsets(group, partitions);
  }

  /**
   * Sets committed offsets; running members go on there. @throws UnknownGroupError,
   * UnknownTopicError, UnknownPartitionError
   */
  async resetOffsets(group: string, reset: ResetOffsets): Promise<CommittedOffset[]> {
    checkOptions<ResetOffsets>("resetOffsets", reset, resetRules);
    const { to, ...rest } = reset;
    const isShift = typeof to === "object" && "shiftBy" in to;
    return this.#api.resetOffsets({ group, ...rest, to: isShift ? to : toPosition("resetOffsets", "to", to) });
  }

  /**
   * Deletes a group without members, and all that it committed. @throws UnknownGroupError,
   * GroupNotEmptyError
   */
  deleteGroup(group: string): Promise<void> {
    return this.#api.deleteGroup(group);
  }

  /**
   * Closes everything that was made with this client, then ends the connection. Consumers are
   * waited for as {@link GroupConsumer.close} says, 10 s at most; producers and appends until
   * everything that they accepted is settled, which takes their `deliveryTimeoutMs` at most. With
   * `timeoutMs`, none of it is waited for any longer than that. The connection ends whatever fails
   * before.
   *
   * @throws the first thing that failed, such as what a hook threw
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    const before = this.#closing;
    const closing = this.#registry.close(options).finally(this.#closeApi);
    this.#closing ??= closing;
    await Promise.all([before, closing]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
