/** Administration of topics and snapshots, independent of a transport. */
import type { Durability } from "./durability.js";
import type { ErrorDetail } from "./error-codes.js";
import type { Position } from "./position.js";

/** Administration of topics and snapshots. Every method rejects with a LogStoreError. */
export interface AdminApi {
  /** Returns the server's version and limits. */
  describeServer(): Promise<ServerDescription>;
  createTopic(request: CreateTopicRequest): Promise<TopicDescription>;
  listTopics(): Promise<TopicSummary[]>;
  describeTopic(topic: string): Promise<TopicDescription>;

  /**
   * Alters a topic's configuration: effective at once, and durable. Resolves to the topic's own
   * configuration after the change.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, InvalidArgumentError; then nothing is
   * changed
   */
  alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig>;

  /**
   * Deletes a topic and all its records. Its readers and writers fail with a ClosedError; its
   * snapshots are kept.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError
   */
  deleteTopic(topic: string, options?: TopicOptions): Promise<void>;

  /**
   * Deletes the records of a partition before a position. Resolves to the new log start offset when
   * it is durable.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError,
   * OffsetOutOfRangeError, StorageFailedError, CorruptPartitionError
   */
  deleteRecords(topic: string, partition: number, before: Position, options?: TopicOptions): Promise<number>;

  /**
   * Copies a topic as of one point in time, without blocking producers: all records below the high
   * watermarks of that time. The snapshot is durable when this resolves; the topic is not altered
   * or deleted before. The rules for topic names apply to the snapshot's name.
   *
   * @throws UnknownTopicError, SnapshotExistsError, InvalidArgumentError; CorruptPartitionError or
   * StorageFailedError if a partition accepts no appends
   */
  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription>;

  /**
   * Lists the snapshots of one topic, which may have been deleted, or all snapshots; sorted by
   * topic and name.
   */
  listSnapshots(topic?: string): Promise<SnapshotDescription[]>;

  /** @throws UnknownSnapshotError */
  deleteSnapshot(topic: string, snapshot: string): Promise<void>;

  /**
   * Creates the topic `newTopic` from a snapshot, with its records at their offsets, its producers'
   * state and its configuration. A damaged snapshot is refused.
   *
   * @throws UnknownSnapshotError, TopicExistsError, InvalidArgumentError, CorruptPartitionError,
   * NotALogStoreError
   */
  restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription>;
}

/** Identifies the topic when several topics have had the same name. */
export interface TopicOptions {
  /**
   * The expected id of the topic, see {@link TopicDescription.topicId}. If the topic of this name
   * has another id, the call fails with an InconsistentTopicIdError and has no effect. Default: not
   * checked.
   */
  readonly topicId?: string | undefined;
}

/** Version and limits of a server. */
export interface ServerDescription {
  /** Version of the server, for example "0.2.0"; undefined for an embedded log. */
  readonly version?: string | undefined;
  readonly limits: ServerLimits;
}

/** Limits of a server. An undefined limit does not exist, or is unknown to the server. */
export interface ServerLimits {
  /** Largest `batches` of an append, in bytes. A topic may have a lower limit. */
  readonly maxBatchBytes?: number | undefined;
  /** Largest records section of a batch after decompression, in bytes. */
  readonly maxRecordsBytes?: number | undefined;
  /** Largest message in either direction, in bytes. */
  readonly maxMessageBytes?: number | undefined;
  /** Largest number of concurrent calls on one connection. */
  readonly maxStreamsPerConnection?: number | undefined;
  /** Largest number of connections of all clients together. */
  readonly maxConnections?: number | undefined;
  /** Largest number of connections of the caller, according to its quota. */
  readonly maxConnectionsPerPrincipal?: number | undefined;
}

/** Configuration of a topic. An undefined option has the broker's default. */
export interface TopicConfig {
  /** When an append is acknowledged, unless the append itself specifies it. */
  readonly durability?: Durability | undefined;
  /** Size at which a partition rolls to a new segment file, in bytes. */
  readonly segmentBytes?: number | undefined;
  /** Largest batch that the topic accepts, in bytes. */
  readonly maxBatchBytes?: number | undefined;
  /**
   * Age after which records are deleted, in ms. Only whole segments are deleted, some time after
   * all their records have reached this age.
   */
  readonly retentionMs?: number | undefined;
  /**
   * A partition's oldest segments are deleted as long as the remaining ones have at least this
   * size, in bytes.
   */
  readonly retentionBytes?: number | undefined;
}

/**
 * A change of configuration: an undefined option keeps its value, null resets it to the broker's
 * default.
 */
export type TopicConfigChange = { readonly [Name in keyof TopicConfig]?: TopicConfig[Name] | null };

/** A topic to create. */
export interface CreateTopicRequest {
  /** 1 to 249 characters of `A-Z a-z 0-9 . _ -`, but neither "." nor "..". */
  readonly topic: string;
  /** At least 1; never changes. */
  readonly partitions: number;
  /** Default: the topic has no configuration of its own. */
  readonly config?: TopicConfig | undefined;
  /**
   * If the topic exists with the same number of partitions, resolve to it unchanged instead of
   * failing; its configuration is not compared. With a different number of partitions, the call
   * fails with a TopicExistsError. Default false: the call fails if the topic exists.
   */
  readonly ifNotExists?: boolean | undefined;
}

/** A topic in the result of `listTopics`. */
export interface TopicSummary {
  readonly topic: string;
  /** Empty if the topic is damaged. */
  readonly topicId: string;
  /** 0 if the topic is damaged. */
  readonly partitionCount: number;
  /** Set if the topic cannot be opened: the error with which every call for it fails. */
  readonly damage?: ErrorDetail | undefined;
}

/** A topic with its partitions and configuration, as returned by `describeTopic`. */
export interface TopicDescription {
  readonly topic: string;
  /**
   * A UUID that is assigned when the topic is created; a topic that is deleted and recreated has a
   * new one. Empty if the server does not support topic ids.
   */
  readonly topicId: string;
  /** Name of the function that maps keys to partitions: "fnv1a-32". */
  readonly partitioner: string;
  /** One entry for each partition, in order. */
  readonly partitions: readonly PartitionDescription[];
  /** The topic's own configuration; an undefined option has the broker's default. */
  readonly config: TopicConfig;
  /**
   * The configuration in effect: the topic's own, completed with the broker's defaults. Empty if
   * the server is too old to report it.
   */
  readonly effectiveConfig: TopicConfig;
  /**
   * The durabilities that appends to the topic may ask for, weakest first. Empty if the server is
   * too old to report them.
   */
  readonly durabilities: readonly Durability[];
}

/** The offsets at which a partition begins and ends. */
export interface PartitionBounds {
  readonly logStartOffset: number;
  /** Offset after the last record that may be read. */
  readonly highWatermark: number;
  /**
   * Offset after the last record appended; if the partition has `damage`, after the last known
   * record.
   */
  readonly logEndOffset: number;
  /**
   * Set if the partition cannot be read to its end: CORRUPT_PARTITION or STORAGE_FAILED. A reader
   * that reaches the damage fails with this error. Damage found when the partition was opened
   * begins at the high watermark, and the end of the log is unknown. Damage found by a later read
   * has an `offset` below the high watermark, which is the end of the log then; see
   * {@link isEndKnown}.
   */
  readonly damage?: ErrorDetail | undefined;
}

/** Whether the high watermark is the end of the log, rather than the start of damage. */
export function isEndKnown({ highWatermark, damage }: Pick<PartitionBounds, "highWatermark" | "damage">): boolean {
  return damage === undefined || (damage.offset !== undefined && damage.offset < highWatermark);
}

/** A partition in the result of `describeTopic`. */
export interface PartitionDescription extends PartitionBounds {
  readonly partition: number;
  /**
   * `host:port` of the broker of a cluster that owns the partition. Undefined if there is no
   * cluster, or currently no owner.
   */
  readonly ownerAddress?: string | undefined;
}

/** A snapshot of a topic. */
export interface SnapshotDescription {
  readonly topic: string;
  readonly snapshot: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  /**
   * One entry for each partition, in order. `logEndOffset` is the offset after its last record in
   * the snapshot.
   */
  readonly partitions: readonly {
    readonly partition: number;
    readonly logStartOffset: number;
    readonly logEndOffset: number;
  }[];
  /**
   * Total size of its log files, in bytes. While the topic still has the same segments, they share
   * the disk space.
   */
  readonly sizeBytes: number;
  /**
   * Set if the snapshot cannot be read: then only its name is known, or only that of the topic if
   * none of the topic's snapshots can be read.
   */
  readonly damage?: ErrorDetail | undefined;
}
