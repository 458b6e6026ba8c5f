/**
 * Consumer groups, independent of a transport: which member reads which partitions, and how far the
 * group has read.
 */
import type { ErrorDetail } from "./error-codes.js";
import type { AssignorName, GroupMembership, JoinGroupRequest } from "./group-membership.js";
import type { Position } from "./position.js";
import type { TopicPartition } from "./topic-partition.js";

/** The caller of a group operation, as determined by the server; never part of a request. */
export interface GroupCallOptions {
  /**
   * The principal of the caller. A group that the call creates counts against this principal's
   * limits.
   */
  readonly principal?: string | undefined;
}

/**
 * Consumer groups: membership, commits, description, resets. Every method rejects with a
 * LogStoreError.
 */
export interface GroupApi {
  /** Joins a group, or rejoins it after a lost connection. */
  joinGroup(request: JoinGroupRequest, options?: GroupCallOptions): GroupMembership;

  /**
   * Commits offsets of a group; resolves when they are durable. There is one result per partition,
   * in the order of the request: a partition that the member does not own is refused, the others
   * are committed.
   */
  commitOffsets(request: CommitOffsetsRequest, options?: GroupCallOptions): Promise<CommitResult[]>;

  /**
   * Returns the committed offsets of a group, by topic and partition; or those of the given
   * partitions, in their order. Partitions without a committed offset are omitted.
   */
  fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]>;

  /** Lists the groups, sorted by name. */
  listGroups(): Promise<GroupSummary[]>;

  describeGroup(group: string): Promise<GroupDescription>;

  /**
   * Sets the committed offsets of a group, also while it has members: they are notified and
   * continue from the new offsets. Resolves to the new offsets.
   */
  resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]>;

  /** Deletes a group that has no members, and its committed offsets. */
  deleteGroup(group: string): Promise<void>;
}

/** The offset to commit for a partition: that of the next record to process. */
export interface PartitionCommit extends TopicPartition {
  /**
   * Offset after the last record processed. An offset below the committed one has no effect: only a
   * reset moves an offset back.
   */
  readonly offset: number;
  /** Application-defined, at most 4 KiB. Default "". */
  readonly metadata?: string | undefined;
}

/** Offsets to commit for a group, by a member or from outside the group. */
export interface CommitOffsetsRequest {
  readonly group: string;
  /**
   * Undefined: a commit from outside the group, which is accepted only while the group has no
   * members.
   */
  readonly memberId?: string | undefined;
  readonly memberEpoch?: number | undefined;
  readonly offsets: readonly PartitionCommit[];
}

/** The result of the commit for one partition. */
export interface CommitResult {
  /** Undefined if the offset was committed. */
  readonly error?: ErrorDetail | undefined;
}

/** The committed offset of a group for a partition: that of the next record to process. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
  /** ms since the epoch. */
  readonly committedAt: number;
}

/**
 * "empty": the group has no members; "rebalancing": partitions are being moved; "stable": every
 * member owns the partitions assigned to it.
 */
export type GroupState = "empty" | "rebalancing" | "stable";

/** A group in the result of `listGroups`. */
export interface GroupSummary {
  readonly group: string;
  readonly state: GroupState;
  readonly memberCount: number;
}

/** A group with its members, partitions, offsets and lag. */
export interface GroupDescription {
  readonly group: string;
  readonly state: GroupState;
  readonly groupEpoch: number;
  readonly assignor: AssignorName;
  readonly members: readonly GroupMember[];
  /** All partitions that are assigned or have a committed offset, by topic and partition. */
  readonly partitions: readonly GroupPartition[];
}

/** A member in the result of `describeGroup`. */
export interface GroupMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly assigned: readonly TopicPartition[];
  /** Those of its partitions that it has been asked to revoke and still owns. */
  readonly revoking: readonly TopicPartition[];
  /** Whether its membership is being iterated over, that is, whether its stream is open. */
  readonly connected: boolean;
}

/** A partition that is assigned or has a committed offset: its owner, offsets and lag. */
export interface GroupPartition extends TopicPartition {
  /** Undefined if no member owns the partition. */
  readonly memberId: string | undefined;
  readonly committedOffset: number | undefined;
  readonly metadata: string;
  /** ms since the epoch. */
  readonly committedAt: number | undefined;
  readonly logEndOffset: number;
  /**
   * Number of records from the committed offset, or the log start if there is none, to the log end.
   */
  readonly lag: number;
  /** Time since the first of these records was appended, in ms; 0 if there are none. */
  readonly lagMs: number;
  /**
   * Set if the partition cannot be read, or not to its end: the lag then counts only the known
   * records.
   */
  readonly damage?: ErrorDetail | undefined;
}

/** A request to set the committed offsets of a group. Running members continue from them. */
export interface ResetOffsetsRequest {
  readonly group: string;
  /** Default: all partitions that the group owns or has committed offsets for. */
  readonly partitions?: readonly TopicPartition[] | undefined;
  /**
   * The new offsets. An offset outside a partition's bounds is replaced by the nearest valid one.
   * `shiftBy` is the number of records by which to move forward, or back if negative.
   */
  readonly to: Position | { readonly shiftBy: number };
}
