import { checkOptions, InvalidArgumentError, shown } from "@logstore/codec";
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
import { ensureTopic } from "./ensure-topic.js";

/**
 * The administrative calls of a client: they describe and change the server's topics, snapshots and
 * consumer groups.
 */
export abstract class AdminClient {
  readonly #api: LogApi;

  /** @internal */
  constructor(api: LogApi) {
    this.#api = api;
  }

  /** Describes the server: its version and its limits on batches, calls and connections. */
  describeServer(): Promise<ServerDescription> {
    return this.#api.describeServer();
  }

  /**
   * Creates a topic. Options that are left out have the server's defaults.
   *
   * @throws TopicExistsError; InvalidArgumentError
   */
  async createTopic(topic: string, options: CreateTopicOptions): Promise<TopicDescription> {
    checkOptions<CreateTopicOptions>("createTopic", options, createTopicRules);
    const { partitions, ...config } = options;
    return this.#api.createTopic({ topic, partitions, config });
  }

  /**
   * Creates a topic unless it exists, and resolves to its description. An existing topic must have
   * the options that are given; those that are left out may have any value.
   *
   * ```ts
   * await client.ensureTopic("orders", { partitions: 8, retentionMs: 7 * 24 * 60 * 60 * 1000 });
   * ```
   *
   * @throws TopicExistsError where the topic has another number of partitions or another
   * configuration than the options name: nothing is changed; InvalidArgumentError
   */
  async ensureTopic(topic: string, options: EnsureTopicOptions = {}): Promise<TopicDescription> {
    checkOptions<EnsureTopicOptions>("ensureTopic", options, ensureTopicRules);
    return ensureTopic(this.#api, topic, options);
  }

  /** Lists the topics, sorted by name. */
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
   * Alters the configuration of a topic, effective at once and durable. Options that are left out
   * keep their values; null resets an option to the server's default. Resolves to the topic's own
   * configuration.
   *
   * @throws UnknownTopicError or InvalidArgumentError: nothing is changed; InconsistentTopicIdError
   * where `options.topicId` is not the topic's id
   */
  async alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig> {
    checkOptions<TopicConfigChange>("alterTopicConfig", change, topicConfigChangeRules);
    checkTopicOptions("alterTopicConfig", options);
    return this.#api.alterTopicConfig(topic, change, options);
  }

  /**
   * Deletes a topic and all its records. Its snapshots are kept.
   *
   * @throws UnknownTopicError; InconsistentTopicIdError where `options.topicId` is not the topic's
   * id
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
   * InconsistentTopicIdError where `options.topicId` is not the topic's id
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
   * Copies a topic as of one point in time to the server's snapshots, without blocking producers.
   *
   * @throws UnknownTopicError; SnapshotExistsError; InvalidArgumentError
   */
  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription> {
    return this.#api.createSnapshot(topic, snapshot);
  }

  /** Lists the snapshots of one topic, which may have been deleted, or of all topics. */
  listSnapshots(topic?: string): Promise<SnapshotDescription[]> {
    return this.#api.listSnapshots(topic);
  }

  /**
   * Deletes a snapshot.
   *
   * @throws UnknownSnapshotError
   */
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
   * Resolves positions and times to offsets, in the order of the request.
   *
   * @throws UnknownTopicError; UnknownPartitionError; InconsistentTopicIdError where
   * `options.topicId` is not the topic's id
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

  /** Lists the consumer groups, sorted by name. */
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
   * Partitions without a committed offset are omitted.
   *
   * @throws UnknownGroupError
   */
  fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    return this.#api.fetchOffsets(group, partitions);
  }

  /**
   * Sets the committed offsets of a group. Running members continue at the new offsets. Resolves to
   * the new offsets.
   *
   * ```ts
   * await client.resetOffsets("billing", { to: { time: new Date("2026-01-01") } });
   * ```
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
}
