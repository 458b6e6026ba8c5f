import type { Bytes } from "@logstore/codec";
import type {
  CommittedOffset,
  GroupDescription,
  GroupSummary,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
  Position,
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
import { Consumer, type ConsumerOptions } from "./consumer/consumer.js";
import { GroupConsumer } from "./group/group-consumer.js";
import type { GroupConsumerOptions } from "./group/group-options.js";
import { ParkedRecords } from "./parked/parked-records.js";
import { type AppendAck, type AppendOptions, PartitionAppender } from "./producer/partition-appender.js";
import { Producer, type ProducerOptions, type ProducerRecord } from "./producer/producer.js";

/** Topics, producers and consumers of one log, wherever it is. Made by `connect`. */
export class LogClient implements AsyncDisposable {
  readonly #api: LogApi;
  readonly #closeApi: () => void;
  readonly #open = new Set<{ close(): unknown }>();
  readonly #appenders = new Map<string, PartitionAppender>();

  constructor(api: LogApi, closeApi: () => void) {
    this.#api = api;
    this.#closeApi = closeApi;
  }

  /** `options` may say more of the topic: its durability, retention, sizes. @throws TopicExistsError, InvalidArgumentError */
  createTopic(topic: string, options: { readonly partitions: number } & TopicConfig): Promise<TopicDescription> {
    const { partitions, ...config } = options;
    return this.#api.createTopic({ topic, partitions, config });
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
   * Alters a topic's configuration, at once and for good: what is left out stays, what is null goes back to the server's own.
   *
   * @throws UnknownTopicError, InvalidArgumentError, and nothing is changed; InconsistentTopicIdError where `options.topicId`
   * is not the topic's
   */
  alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    return this.#api.alterTopicConfig(topic, change, options);
  }

  /**
   * Deletes a topic with all its records, for good. Its snapshots stay.
   *
   * @throws UnknownTopicError; InconsistentTopicIdError where `options.topicId` is not the topic's
   */
  deleteTopic(topic: string, options?: TopicOptions): Promise<void> {
    return this.#api.deleteTopic(topic, options);
  }

  /**
   * Deletes every record of a partition before a position. Resolves to the log start offset when that is durable.
   *
   * @throws UnknownTopicError, UnknownPartitionError, OffsetOutOfRangeError; InconsistentTopicIdError where `options.topicId` is
   * not the topic's
   */
  deleteRecords(topic: string, partition: number, before: Position, options?: TopicOptions): Promise<number> {
    return this.#api.deleteRecords(topic, partition, before, options);
  }

  /**
   * Copies a topic, beside the server's data, as it is at one moment, without stopping who writes.
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

  /** Makes a new topic of a snapshot, with its records at their offsets. @throws UnknownSnapshotError, TopicExistsError */
  restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription> {
    return this.#api.restoreSnapshot(topic, snapshot, newTopic);
  }

  /** Offsets of positions and times, in the order of the request. */
  listOffsets(topic: string, partitions: ListOffsetsRequest["partitions"]): Promise<PartitionOffset[]> {
    return this.#api.listOffsets({ topic, partitions });
  }

  /** `Input`, what may be sent, comes from the schema or serializer; without either, strings and bytes. */
  producer<Input = Bytes>(topic: string, options: ProducerOptions<Input> = {}): Producer<Input> {
    const producer: Producer<Input> = new Producer(this.#api, topic, options, () => this.#open.delete(producer));
    this.#open.add(producer);
    return producer;
  }

  /**
   * Appends records to a partition as one batch: all of them or none, one after another. With an expected offset, only where nobody
   * else has appended since: what event sourcing needs. Appends of a client to a partition take effect in the order in which they
   * are made; beside those of its producers they come as they come.
   *
   * @throws WrongExpectedOffsetError: nothing was appended; look at what was, and try again. BatchTooLargeError, InvalidValueError,
   * UnknownTopicError, UnknownPartitionError; DeliveryTimeoutError: not known
   */
  append<Input = Bytes>(
    topic: string,
    partition: number,
    records: readonly Omit<ProducerRecord<Input>, "partition">[],
    options: AppendOptions<Input> = {},
  ): Promise<AppendAck> {
    const key = `${topic}/${partition}`;
    const appender = this.#appenders.get(key) ?? new PartitionAppender(this.#api, topic, partition);
    this.#appenders.set(key, appender);
    return appender.append(records, options);
  }

  /**
   * A member of a consumer group with `group` and `topics`, or a reader of its own with `assign`. `T` and `K`, what values and keys
   * are, come from the schema or serializers; without them, bytes.
   */
  consumer<T = Uint8Array, K = Uint8Array>(options: GroupConsumerOptions<T, K>): GroupConsumer<T, K>;
  consumer<T = Uint8Array, K = Uint8Array>(options: ConsumerOptions<T, K>): Consumer<T, K>;
  consumer<T, K>(options: GroupConsumerOptions<T, K> | ConsumerOptions<T, K>): GroupConsumer<T, K> | Consumer<T, K> {
    if ("group" in options) return new GroupConsumer(this.#api, options, this.#open);
    return new Consumer(this.#api, options, this.#open);
  }

  /** What a group put aside of a topic: to be listed, and replayed. */
  parked(topic: string, group: string): ParkedRecords {
    return new ParkedRecords(this.#api, topic, group);
  }

  /** By name. */
  listGroups(): Promise<GroupSummary[]> {
    return this.#api.listGroups();
  }

  /** Members, who has what, and how far behind each partition is. @throws UnknownGroupError */
  describeGroup(group: string): Promise<GroupDescription> {
    return this.#api.describeGroup(group);
  }

  /** What a group committed: all of it, or of these partitions; those without a commit are left out. @throws UnknownGroupError */
  committedOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#api.fetchOffsets(group, partitions);
  }

  /** Sets committed offsets; running members go on there. @throws UnknownGroupError, UnknownTopicError, UnknownPartitionError */
  resetOffsets(group: string, reset: Omit<ResetOffsetsRequest, "group">): Promise<CommittedOffset[]> {
    return this.#api.resetOffsets({ group, ...reset });
  }

  /** Deletes a group without members, and all that it committed. @throws UnknownGroupError, GroupNotEmptyError */
  deleteGroup(group: string): Promise<void> {
    return this.#api.deleteGroup(group);
  }

  /** Closes consumers, waits until every producer has settled what it accepted, then ends the connection. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open, (one) => one.close()));
    this.#closeApi();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
