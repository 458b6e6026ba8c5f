import {
  type Bytes,
  checkArgument,
  checkOptions,
  InvalidArgumentError,
  nonEmptyString,
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
  ServerDescription,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicOptions,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";
import {
  type CreateTopicOptions,
  checkTopicOptions,
  createTopicRules,
  type EnsureTopicOptions,
  ensureTopicRules,
  type ResetOffsets,
  resetRules,
  topicConfigChangeRules,
} from "./admin-options.js";
import { type PositionInput, toPosition } from "./common/position.js";
import { type CloseOptions, checkCloseOptions, Registry } from "./common/registry.js";
import type { FormatToSend } from "./common/value-format.js";
import { Consumer } from "./consumer/consumer.js";
import { ensureTopic } from "./ensure-topic.js";
import type { ConsumerOptions } from "./group/consumer-options.js";
import { ParkedRecords } from "./parked/parked-records.js";
import type { AppendAck } from "./producer/append-ack.js";
import type { AppendOptions } from "./producer/append-options.js";
import { Appenders } from "./producer/appenders.js";
import { Producer } from "./producer/producer.js";
import type { ProducerOptions } from "./producer/producer-options.js";
import type { AppendRecord } from "./producer/producer-record.js";
import type { RecordFormatToReceive } from "./reader/consumer-record.js";
import { Reader } from "./reader/reader.js";
import type { ReaderOptions } from "./reader/reader-options.js";

/**
 * Topics, producers, readers and consumers of one log, on a server or in this process. Made by
 * `connect`. Methods that call the server also throw UnavailableError where it cannot be reached
 * within `timeoutMs`, UnauthenticatedError and PermissionDeniedError where access is refused, and
 * ClosedError once the client is closed.
 */
export class LogClient implements AsyncDisposable {
  readonly #api: LogApi;
  readonly #closeApi: () => void;
  readonly #registry = new Registry();
  readonly #appenders: Appenders;
  #closing: Promise<void> | undefined;

  /** @internal Made by `connect()`. */
  constructor(api: LogApi, closeApi: () => void) {
    this.#api = api;
    this.#closeApi = closeApi;
    this.#appenders = new Appenders(api, this.#registry);
  }

  /** Describes the server: its release, its largest batch, its limits of calls and connections. */
  describeServer(): Promise<ServerDescription> {
    return this.#api.describeServer();
  }

  /**
   * Creates a topic. Configuration that is left out is the server's own.
   *
   * @throws TopicExistsError; InvalidArgumentError
   */
  async createTopic(topic: string, options: CreateTopicOptions): Promise<TopicDescription> {
    checkOptions<CreateTopicOptions>("createTopic", options, createTopicRules);
    const { partitions, ...config } = options;
    return this.#api.createTopic({ topic, partitions, config });
  }

  /**
   * Creates a topic unless it exists, and resolves to its description. Options that are left out
   * may have any value: `ensureTopic("orders")` takes the topic as it is, or creates it with one
   * partition.
   *
   * @throws TopicExistsError where the topic has another number of partitions or another
   * configuration than the options name, and nothing is changed; InvalidArgumentError
   */
  async ensureTopic(topic: string, options: EnsureTopicOptions = {}): Promise<TopicDescription> {
    checkOptions<EnsureTopicOptions>("ensureTopic", options, ensureTopicRules);
    return ensureTopic(this.#api, topic, options);
  }

  /** Lists the topics by name. */
  listTopics(): Promise<TopicSummary[]> {
    return this.#api.listTopics();
  }

  /**
   * Describes a topic: its id, its partitions with their offsets, its configuration.
   *
   * @throws UnknownTopicError
   */
  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#api.describeTopic(topic);
  }

  /**
   * Alters the configuration of a topic, durably and at once. What is left out stays; what is null
   * goes back to the server's own. Resolves to the topic's own configuration.
   *
   * @throws UnknownTopicError or InvalidArgumentError, and nothing is changed;
   * InconsistentTopicIdError where `options.topicId` is not the topic's
   */
  async alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    checkOptions<TopicConfigChange>("alterTopicConfig", change, topicConfigChangeRules);
    checkTopicOptions("alterTopicConfig", options);
    return this.#api.alterTopicConfig(topic, change, options);
  }

  /**
   * Deletes a topic with all its records. Its snapshots stay.
   *
   * @throws UnknownTopicError; InconsistentTopicIdError where `options.topicId` is not the topic's
   */
  async deleteTopic(topic: string, options?: TopicOptions): Promise<void> {
    checkTopicOptions("deleteTopic", options);
    return this.#api.deleteTopic(topic, options);
  }

  /**
   * Deletes every record of a partition before a position. Resolves to the new log start offset
   * when it is durable.
   *
   * @throws UnknownTopicError; UnknownPartitionError; OffsetOutOfRangeError;
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
   * Copies a topic as it is at one moment to the server's snapshots. Producers go on meanwhile.
   *
   * @throws UnknownTopicError; SnapshotExistsError; InvalidArgumentError
   */
  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#api.createSnapshot(topic, snapshot);
  }

  /** Lists the snapshots of one topic, also of one that was deleted, or of all topics. */
  listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    return this.#api.listSnapshots(topic);
  }

  /** Deletes a snapshot. @throws UnknownSnapshotError */
  deleteSnapshot(topic: string, snapshot: string): Promise<void> {
    return this.#api.deleteSnapshot(topic, snapshot);
  }

  /**
   * Creates the topic `newTopic` from a snapshot. It has an id of its own, and its records keep
   * their offsets.
   *
   * @throws UnknownSnapshotError; TopicExistsError
   */
  restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    return this.#api.restoreSnapshot(topic, snapshot, newTopic);
  }

  /**
   * Looks up the offsets of positions and times, in the order of the request.
   *
   * @throws UnknownTopicError; UnknownPartitionError; InconsistentTopicIdError where
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
   * Makes a producer. Without a format it takes strings and bytes; any other type of value needs a
   * `schema` or a `value` serializer, which the type of the values is inferred from.
   *
   * @throws InvalidArgumentError
   */
  producer(topic: string): Producer;
  producer<Input = Bytes>(topic: string, options: ProducerOptions<Input> & FormatToSend<Input>): Producer<Input>;
  producer<Input = Bytes>(topic: string, options: ProducerOptions<Input> = {}): Producer<Input> {
    checkArgument("producer", "topic", topic, required(nonEmptyString));
    return new Producer(this.#api, topic, options, this.#registry);
  }

  /**
   * Appends records to a partition as one batch: all of them, one after another, or none. With
   * `expectedOffset` they are appended only where no other append came before, which is what event
   * sourcing needs. Appends of one client to a partition take effect in the order of the calls.
   * Values are strings or bytes, unless `schema` or `value` says otherwise.
   *
   * @throws WrongExpectedOffsetError where another append came before: nothing was appended, look
   * at what was and try again; BatchTooLargeError, InvalidValueError, InvalidArgumentError,
   * UnknownTopicError, UnknownPartitionError, BufferFullError: nothing was appended;
   * DeliveryTimeoutError: the records may or may not have been appended
   */
  append(topic: string, partition: number, records: readonly AppendRecord<Bytes>[]): Promise<AppendAck>;
  append<Input = Bytes>(
    topic: string,
    partition: number,
    records: readonly AppendRecord<Input>[],
    options: AppendOptions<Input> & FormatToSend<Input>,
  ): Promise<AppendAck>;
  async append<Input = Bytes>(
    topic: string,
    partition: number,
    records: readonly AppendRecord<Input>[],
    options: AppendOptions<Input> = {},
  ): Promise<AppendAck> {
    checkArgument("append", "topic", topic, required(nonEmptyString));
    checkArgument("append", "partition", partition, required(wholeNumber({ max: 2 ** 32 - 1 })));
    return this.#appenders.of(topic, partition).append(records, options);
  }

  /**
   * Makes a reader of given partitions (`assign`), or of all partitions of topics (`topics`).
   * Values are bytes, unless `schema` or `value` says otherwise; keys are bytes, unless `key` does.
   *
   * @throws InvalidArgumentError
   */
  reader<T = Uint8Array, K = Uint8Array>(options: ReaderOptions<T, K> & RecordFormatToReceive<T, K>): Reader<T, K> {
    return new Reader<T, K>(this.#api, options, this.#registry);
  }

  /**
   * Makes a member of a consumer group, which shares the partitions of topics among its members.
   * Values are bytes, unless `schema` or `value` says otherwise; keys are bytes, unless `key` does.
   *
   * @throws InvalidArgumentError
   */
  consumer<T = Uint8Array, K = Uint8Array>(
    options: ConsumerOptions<T, K> & RecordFormatToReceive<T, K>,
  ): Consumer<T, K> {
    return new Consumer<T, K>(this.#api, options, this.#registry);
  }

  /**
   * Gives access to the records of a topic that a group parked, to list and to replay them.
   *
   * @throws InvalidArgumentError
   */
  parked(topic: string, group: string): ParkedRecords {
    checkArgument("parked", "topic", topic, required(nonEmptyString));
    checkArgument("parked", "group", group, required(nonEmptyString));
    return new ParkedRecords(this.#api, topic, group, this.#registry);
  }

  /** Lists the consumer groups by name. */
  listGroups(): Promise<GroupSummary[]> {
    return this.#api.listGroups();
  }

  /**
   * Describes a group: its members, their partitions, committed offsets and lag.
   *
   * @throws UnknownGroupError
   */
  describeGroup(group: string): Promise<GroupDescription> {
    return this.#api.describeGroup(group);
  }

  /**
   * Fetches the committed offsets of a group: all of them, or those of the given partitions.
   * Partitions without a committed offset are left out.
   *
   * @throws UnknownGroupError
   */
  fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#api.fetchOffsets(group, partitions);
  }

  /**
   * Sets the committed offsets of a group. Running members go on at the new offsets. Resolves to
   * what was set.
   *
   * @throws UnknownGroupError; UnknownTopicError; UnknownPartitionError; InvalidArgumentError
   */
  async resetOffsets(group: string, reset: ResetOffsets): Promise<CommittedOffset[]> {
    checkOptions<ResetOffsets>("resetOffsets", reset, resetRules);
    const { to, ...rest } = reset;
    const isShift = typeof to === "object" && "shiftBy" in to;
    return this.#api.resetOffsets({ group, ...rest, to: isShift ? to : toPosition("resetOffsets", "to", to) });
  }

  /**
   * Deletes a group that has no members, with its committed offsets.
   *
   * @throws UnknownGroupError; GroupNotEmptyError
   */
  deleteGroup(group: string): Promise<void> {
    return this.#api.deleteGroup(group);
  }

  /**
   * Closes everything that was made with this client, then its connections. Consumers are waited
   * for as {@link Consumer.close} describes, 10 s at most; producers and appends until each
   * accepted record is settled, `deliveryTimeoutMs` at most. `timeoutMs` bounds all of it. The
   * connections are closed whatever fails before.
   *
   * @throws the first failure, such as what a hook threw; InvalidArgumentError
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
