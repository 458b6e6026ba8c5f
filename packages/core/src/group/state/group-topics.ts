/** What groups need to know of the topics. */
import type { LogStoreError } from "@logstore/codec";
import type { GroupPartition, Position } from "@logstore/protocol";

export type Lag = Pick<GroupPartition, "logEndOffset" | "lag" | "lagMs" | "damage">;

export interface TopicBounds {
  readonly logStart: number;
  /** One past the last record that may be read. */
  readonly highWatermark: number;
  /** One past the last record appended, as far as is known where the log is damaged. */
  readonly logEnd: number;
  /** Why the log cannot be read on from the high watermark, if so. */
  readonly damage?: LogStoreError | undefined;
}

export interface GroupTopics {
  /** How many partitions each topic has. */
  counts(): ReadonlyMap<string, number>;
  /** A topic's id; undefined where there is no such topic, or it cannot be read. */
  id(topic: string): string | undefined;
  /** Whether a topic that is not among them may be there none the less, and cannot be read. */
  mayExist(topic: string): boolean;
  /** Whether what follows the log's readable end is lost, rather than not there yet. */
  isDamaged(topic: string, partition: number): boolean;
  /**
   * @param topicId what the caller knows the topic by; undefined or empty is not checked
   * @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError
   */
  bounds(topic: string, partition: number, topicId?: string): TopicBounds;
  /**
   * @throws UnknownTopicError, UnknownPartitionError, InvalidArgumentError, CorruptPartitionError
   */
  resolve(topic: string, partition: number, position: Position): Promise<number>;
  lag(topic: string, partition: number, committed: number | undefined): Promise<Lag>;
}
