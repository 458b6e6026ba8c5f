/** The topics of an engine: what there is, and the only way to make, alter and delete one. */
import type { LogStoreError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import type { PartitionLog } from "./partition-log.js";

/** A topic that is there. */
export interface FoundTopic {
  readonly topic: string;
  /** Its id, where that is known before it is opened. */
  readonly id?: string | undefined;
  /** Where it is kept, for the operator: a directory, a key. */
  readonly location: string;
}

/** An open topic. */
export interface Topic extends FoundTopic {
  /** UUID. Tells the topic from an earlier one of the same name. */
  readonly id: string;
  /** The topic's own configuration. What it leaves out is the engine's. */
  readonly config: TopicConfig;
  /** Name of the function that maps keys to partitions. */
  readonly partitioner: string;
  readonly partitionCount: number;
  /** Partitions that cannot be read to their end, as far as is known, or take no appends. */
  readonly failedPartitions: readonly number[];
  /** @throws UnknownPartitionError; UnavailableError where the partition is not served right now */
  log(partition: number): PartitionLog;
  close(): Promise<void>;
}

/** A topic that is there and cannot be opened. The others are served none the less. */
export interface UnopenableTopic {
  readonly location: string;
  /** Undefined where not even its name can be read. */
  readonly topic: string | undefined;
  readonly error: LogStoreError;
}

/** All topics that are there. */
export interface FoundTopics {
  /** Those that can be opened, as far as is known. */
  readonly topics: readonly FoundTopic[];
  /** The others. */
  readonly unreadable: readonly UnopenableTopic[];
}

/**
 * Thrown by {@link TopicCatalogue.create} where the topic may be there all the same: its name stays
 * taken until the topics are found anew.
 */
export class TopicUnsettledError extends Error {
  readonly location: string;
  override readonly cause: LogStoreError;

  constructor(location: string, cause: LogStoreError) {
    super(cause.message);
    this.location = location;
    this.cause = cause;
  }
}

/**
 * The caller changes one topic at a time. It creates none whose name is taken, and alters none that
 * it has closed.
 */
export interface TopicCatalogue<T extends Topic = Topic> {
  /** Finds what there is, without opening it. */
  find(): Promise<FoundTopics>;

  /**
   * How many partitions a topic has that was found, and may not be open yet.
   *
   * @throws NotALogStoreError, StorageFailedError, UnavailableError
   */
  partitionCount(found: FoundTopic): Promise<number>;

  /**
   * Opens a topic that was found, or one that was closed and could not be deleted.
   *
   * @throws NotALogStoreError, UnsupportedFormatVersionError, StorageFailedError
   */
  open(found: FoundTopic): Promise<T>;

  /**
   * Resolves when the topic is durable as a whole. Where it rejects, there is no topic, unless with
   * a {@link TopicUnsettledError}.
   */
  create(topic: string, partitions: number, config: TopicConfig): Promise<T>;

  /**
   * Replaces a topic's configuration, at once and for good: `topic.config` and the logs follow it.
   */
  alter(topic: T, config: TopicConfig): Promise<void>;

  /**
   * Deletes a topic that was closed, with all its records. Where it rejects, the topic is there
   * still, and can be opened again.
   */
  delete(topic: T): Promise<void>;

  /**
   * What is in force where a topic is configured so.
   *
   * @throws InvalidArgumentError where the engine cannot do what it says
   */
  effectiveConfig(config: TopicConfig): TopicConfig;
}
