/** What can be done with topics as a whole, without a transport. */
import type { Durability } from "./durability.js";
import type { ErrorDetail } from "./error-codes.js";
import type { Position } from "./position.js";

/** Topics, their configuration, and snapshots. Every method rejects with a LogStoreError. */
export interface AdminApi {
  /** Release and limits of the server. */
  describeServer(): Promise<ServerDescription>;
  createTopic(request: CreateTopicRequest): Promise<TopicDescription>;
  listTopics(): Promise<TopicSummary[]>;
  describeTopic(topic: string): Promise<TopicDescription>;

  /**
   * Alters a topic's configuration, at once and for good. Resolves to what the topic has of its own
   * then.
   */
  alterTopicConfig(topic: string, change: TopicConfigChange, options?: TopicOptions): Promise<TopicConfig>;

  /**
   * Deletes a topic with all its records, for good. Its readers and writers get a ClosedError; its
   * snapshots stay.
   */
  deleteTopic(topic: string, options?: TopicOptions): Promise<void>;

  /**
   * Deletes every record of a partition before a position. Resolves to the log start offset when
   * that is durable.
   */
  deleteRecords(topic: string, partition: number, before: Position, options?: TopicOptions): Promise<number>;

  /**
   * Copies a topic as it is at one moment, without stopping who writes. The name is formed like a
   * topic's.
   */
  createSnapshot(topic: string, snapshot: string): Promise<SnapshotDescription>;

  /** By topic and name. Those of one topic, also of one that was deleted; or all. */
  listSnapshots(topic?: string): Promise<SnapshotDescription[]>;

  deleteSnapshot(topic: string, snapshot: string): Promise<void>;

  /** Makes the new topic `newTopic` of a snapshot, with its records at their offsets. */
  restoreSnapshot(topic: string, snapshot: string, newTopic: string): Promise<TopicDescription>;
}

/** Which topic of that name is meant. */
export interface TopicOptions {
  /**
   * The id that the topic is known by, see {@link TopicDescription.topicId}. With another topic of
   * that name the call fails with an InconsistentTopicIdError, and nothing is changed. Default:
   * whatever topic has the name.
   */
  readonly topicId?: string | undefined;
}

/** Release and limits of a server. */
export interface ServerDescription {
  /** Release of the server, "0.2.0"; undefined where the log is in this process. */
  readonly version?: string | undefined;
  readonly limits: ServerLimits;
}

/** What is undefined has no limit, or none that the server knows of. */
export interface ServerLimits {
  /** Largest `batches` of an append, bytes. A topic may take less. */
  readonly maxBatchBytes?: number | undefined;
  /** Largest records section of a batch after decompression, bytes. */
  readonly maxRecordsBytes?: number | undefined;
  /** Largest message in either direction, bytes. */
  readonly maxMessageBytes?: number | undefined;
  /** Calls open at once on one connection. */
  readonly maxStreamsPerConnection?: number | undefined;
  /** Connections of all clients together. */
  readonly maxConnections?: number | undefined;
  /** Connections of the caller, as its quota has it. */
  readonly maxConnectionsPerPrincipal?: number | undefined;
}

/** What a log may tell of how its topics are, for whoever watches over it. */
export interface TopicHealthApi {
  /** @throws UnknownTopicError */
  topicHealth(topic: string): Promise<TopicHealth>;

  /**
   * Whether anything at all can be written: not where the data directory is gone, say. Default: it
   * can.
   */
  storageHealth?(): Promise<TopicHealth>;

  /** Whether all that was found at the start is open. Default: it is. */
  startupHealth?(): Promise<TopicHealth>;

  /**
   * Has `changed` called when some topic came, went or failed, or the storage did, until what is
   * returned is called.
   */
  onTopicHealth(changed: () => void): () => void;
}

/**
 * `failed`: a partition or more cannot be read to its end, or takes no more appends, or is being
 * opened.
 */
export type TopicHealth = "serving" | "failed";

/** What may be said of a topic; what is not said is the broker's own. */
export interface TopicConfig {
  /** When an append is acknowledged, unless it says so itself. */
  readonly durability?: Durability | undefined;
  /** A partition goes on in a new file when one would become longer than this, bytes. */
  readonly segmentBytes?: number | undefined;
  /** Longest batch that is taken in, bytes. */
  readonly maxBatchBytes?: number | undefined;
  /** Records are deleted some time after they have become older than this, ms. */
  readonly retentionMs?: number | undefined;
  /** A partition's oldest segments are deleted while the others hold this many bytes or more. */
  readonly retentionBytes?: number | undefined;
}

/** A change: what is undefined stays, what is null goes back to the broker's own. */
export type TopicConfigChange = { readonly [Name in keyof TopicConfig]?: TopicConfig[Name] | null };

/** A topic to create. */
export interface CreateTopicRequest {
  /** 1 to 249 of `A-Z a-z 0-9 . _ -`, and neither "." nor "..". */
  readonly topic: string;
  /** At least 1; never changes. */
  readonly partitions: number;
  /** Default: nothing of its own. */
  readonly config?: TopicConfig | undefined;
  /**
   * Resolves to the topic that exists, unchanged, where it has as many partitions; its
   * configuration is not compared. With another number of partitions, TopicExistsError. Default
   * false: a topic that exists is always an error.
   */
  readonly ifNotExists?: boolean | undefined;
}

/** A topic, as `listTopics` tells of it. */
export interface TopicSummary {
  readonly topic: string;
  /** Empty where the topic has a `damage`. */
  readonly topicId: string;
  /** 0 where the topic has a `damage`. */
  readonly partitionCount: number;
  /** Why the topic cannot be opened, if so: what every call for it fails with. */
  readonly damage?: ErrorDetail | undefined;
}

/** A topic with its partitions and configuration, as `describeTopic` tells of it. */
export interface TopicDescription {
  readonly topic: string;
  /**
   * A UUID, made with the topic: one that is deleted and made again has another. Empty where the
   * server knows of none.
   */
  readonly topicId: string;
  /** Name of the function that maps keys to partitions: "fnv1a-32". */
  readonly partitioner: string;
  /** One for each, in order. */
  readonly partitions: readonly PartitionDescription[];
  /** The topic's own; what is not in it is the broker's. */
  readonly config: TopicConfig;
  /**
   * What is in force: the topic's own, and the broker's where the topic has none. Empty where the
   * server is too old to say.
   */
  readonly effectiveConfig: TopicConfig;
}

/** Where a partition begins and ends. */
export interface PartitionBounds {
  readonly logStartOffset: number;
  /** One past the last record that may be read. */
  readonly highWatermark: number;
  /** One past the last record appended. With `damage`: past the last one known of. */
  readonly logEndOffset: number;
  /**
   * Why not all of the partition can be read, if so: CORRUPT_PARTITION or STORAGE_FAILED. Whoever
   * reads up to the damage gets this error. Found when the partition was opened, it begins at the
   * high watermark, and where the log ends is not known. Found by a read since then, its `offset`
   * is below the high watermark, which is the end of the log: see {@link isEndKnown}.
   */
  readonly damage?: ErrorDetail | undefined;
}

/** Whether the high watermark is the end of the log, and not where damage begins. */
export function isEndKnown({ highWatermark, damage }: Pick<PartitionBounds, "highWatermark" | "damage">): boolean {
  return damage === undefined || (damage.offset !== undefined && damage.offset < highWatermark);
}

/** A partition, as `describeTopic` tells of it. */
export interface PartitionDescription extends PartitionBounds {
  readonly partition: number;
}

/** A snapshot of a topic. */
export interface SnapshotDescription {
  readonly topic: string;
  readonly snapshot: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** One for each, in order. `logEndOffset` is one past the last record in it. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly logStartOffset: number;
    readonly logEndOffset: number;
  }[];
  /**
   * Length of its log files together, bytes. Most take no room of their own while the topic has
   * them too.
   */
  readonly sizeBytes: number;
  /**
   * Why the snapshot cannot be read, if so: nothing but its name is known then, nor that where all
   * of the topic's cannot be read.
   */
  readonly damage?: ErrorDetail | undefined;
}
