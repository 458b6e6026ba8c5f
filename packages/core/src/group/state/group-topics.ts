/** The topics, as groups need to see them. */
import type { LogStoreError } from "@logstore/codec";
import type { GroupPartition, Position, TopicPartition } from "@logstore/protocol";
import type { RefreshFailures } from "./refresh-failures.js";

export type Lag = Pick<GroupPartition, "logEndOffset" | "lag" | "lagMs" | "damage">;

export interface TopicBounds {
  readonly logStart: number;
  /** Offset after the last record that may be read. */
  readonly highWatermark: number;
  /** Offset after the last record appended; if the log is damaged, after the last known record. */
  readonly logEnd: number;
  /** Set if the log cannot be read beyond the high watermark. */
  readonly damage?: LogStoreError | undefined;
}

/** A partition whose topic or bounds another broker may have changed. */
export interface StalePartition extends TopicPartition {
  /** Bounds that include this offset are recent enough. Default: they are always updated. */
  readonly offset?: number | undefined;
}

export interface GroupTopics {
  /**
   * Learns what other brokers have changed of these partitions and their topics: awaited before a
   * decision that depends on them. Resolves to the errors of those of which it could not be
   * learned. Returns undefined if there is nothing to learn. The partitions are iterated more than
   * once.
   */
  refresh(partitions: Iterable<StalePartition>): Promise<RefreshFailures> | undefined;
  /** The number of partitions of each topic. */
  counts(): ReadonlyMap<string, number>;
  /** A topic's id; undefined if the topic does not exist or cannot be read. */
  id(topic: string): string | undefined;
  /** Whether a topic that is not among them may exist, but cannot be read. */
  mayExist(topic: string): boolean;
  /** Whether records after the readable end are lost, rather than not yet appended. */
  isDamaged(topic: string, partition: number): boolean;
  /**
   * @param topicId the expected id of the topic; undefined or empty is not checked
   * @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError
   */
  bounds(topic: string, partition: number, topicId?: string): TopicBounds;
  /**
   * @throws UnknownTopicError, UnknownPartitionError, InvalidArgumentError, CorruptPartitionError
   */
  resolve(topic: string, partition: number, position: Position): Promise<number>;
  lag(topic: string, partition: number, committed: number | undefined): Promise<Lag>;
}
