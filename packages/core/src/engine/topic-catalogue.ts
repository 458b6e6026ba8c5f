/** The topics of an engine: finds, creates, alters and deletes them. */
import type { LogStoreError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import type { PartitionLog } from "./partition-log.js";

/** An existing topic. */
export interface FoundTopic {
  readonly topic: string;
  /** Its id, if it is known before the topic is opened. */
  readonly id?: string | undefined;
  /** Where it is stored, for the operator: a directory, a key. */
  readonly location: string;
}

/** An open topic. */
export interface Topic extends FoundTopic {
  /** UUID. Distinguishes the topic from an earlier one of the same name. */
  readonly id: string;
  /** The topic's own configuration. Options that it leaves out have the engine's default. */
  readonly config: TopicConfig;
  /** Name of the function that maps keys to partitions. */
  readonly partitioner: string;
  readonly partitionCount: number;
  /** Partitions that are known to be unreadable to their end, or that accept no appends. */
  readonly failedPartitions: readonly number[];
  /** @throws UnknownPartitionError; UnavailableError if the partition is currently not available */
  log(partition: number): PartitionLog;
  /**
   * Called before the close of a topic that is then deleted: its records need not become durable
   * any more. If it cannot be deleted, it is reopened. Default: the close makes them durable.
   */
  abandon?(): void;
  close(): Promise<void>;
}

/** An existing topic that cannot be opened. It does not affect the others. */
export interface UnopenableTopic {
  readonly location: string;
  /** Undefined if not even its name can be read. */
  readonly topic: string | undefined;
  /** Its id, if it is known. */
  readonly id?: string | undefined;
  readonly error: LogStoreError;
}

/** All existing topics. */
export interface FoundTopics {
  /** Those that can be opened, as far as is known. */
  readonly topics: readonly FoundTopic[];
  /** The others. */
  readonly unreadable: readonly UnopenableTopic[];
}

/**
 * Thrown by {@link TopicCatalogue.create} if the topic may exist nevertheless: its name stays
 * reserved until the next `find`, or, in a shared catalogue, until it has been looked up.
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

/** Additional methods of a catalogue that several brokers share. */
export interface SharedCatalogue {
  /**
   * Registers the callback for topics that another broker has created, altered or deleted; it
   * replaces an earlier callback. It is called soon after the change, once the configuration of an
   * open topic has been updated.
   */
  onChange(changed: (topic: string) => void): void;

  /**
   * Looks a topic up as it is now, with its id; undefined if it does not exist.
   *
   * @throws NotALogStoreError, UnavailableError
   */
  lookUp(topic: string): Promise<FoundTopic | undefined>;
}

/**
 * The caller changes one topic at a time. It never creates a topic whose name is in use, and never
 * alters a closed one; but if the catalogue is shared, another broker may have done either since.
 */
export interface TopicCatalogue<T extends Topic = Topic> {
  /** Undefined if no other broker can change the topics. */
  readonly shared?: SharedCatalogue | undefined;

  /**
   * Finds the existing topics without opening them. Called before any other method, and while no
   * topic is being created or deleted by this caller.
   */
  find(): Promise<FoundTopics>;

  /**
   * The number of partitions of an existing topic, which may not be open yet.
   *
   * @throws NotALogStoreError, StorageFailedError, UnavailableError
   */
  partitionCount(found: FoundTopic): Promise<number>;

  /**
   * Opens a topic that was found, or one that was closed but could not be deleted.
   *
   * @throws NotALogStoreError, UnsupportedFormatVersionError, StorageFailedError
   */
  open(found: FoundTopic): Promise<T>;

  /**
   * Resolves when the complete topic is durable. If it rejects, the topic does not exist, except
   * after a {@link TopicUnsettledError}.
   *
   * @throws TopicExistsError if another broker has created it
   */
  create(topic: string, partitions: number, config: TopicConfig): Promise<T>;

  /**
   * Replaces a topic's configuration by the result of `change`, which gets the current one. The new
   * configuration is durable and takes effect at once, in `topic.config` and in the logs. If
   * another broker alters the topic at the same time, `change` is called again.
   *
   * @throws UnknownTopicError if another broker has deleted the topic; the errors of `change`, and
   * nothing is changed
   */
  alter(topic: T, change: (config: TopicConfig) => TopicConfig): Promise<void>;

  /**
   * Deletes a closed topic with all its records; resolves as well if another broker has deleted it.
   * If it rejects, the topic still exists and can be reopened; in a shared catalogue it may be gone
   * all the same, and the caller looks it up.
   */
  delete(topic: T): Promise<void>;

  /**
   * The effective configuration of a topic with the given one.
   *
   * @throws InvalidArgumentError if the engine does not support it
   */
  effectiveConfig(config: TopicConfig): TopicConfig;
}
