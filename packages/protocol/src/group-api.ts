/**
 * Consumer groups, independent of a transport: which member reads which partitions, and how far the
 * group has read.
 */
import type { ErrorDetail } from "./error-codes.js";
import type { Position } from "./position.js";

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

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  /**
   * In a request: the expected id of the topic; the call fails if the topic of this name has
   * another id. In a response: the id of the topic.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
}

/** A request to join a group, or to rejoin it. */
export interface JoinGroupRequest {
  /** The rules for topic names apply. */
  readonly group: string;
  /**
   * Topic names, or patterns in which `*` matches any characters. Patterns also match topics that
   * are created later. A pattern that does not end in `.parked` does not match topics that do.
   */
  readonly topics: readonly string[];
  /**
   * Chosen by the client, for example a UUID; default: chosen by the group. With epoch 0, an
   * unknown id creates a member; a known one means that the same member repeats its join, because
   * it did not receive the response.
   */
  readonly memberId?: string | undefined;
  /**
   * The last epoch received, sent with `memberId` to resume the membership; 0, the default, if none
   * was received. An epoch older than one that the member has used before is refused.
   */
  readonly memberEpoch?: number | undefined;
  /**
   * Makes the member a static member: its partitions are reserved for the session timeout and go to
   * the next member that joins with the same instance id.
   */
  readonly instanceId?: string | undefined;
  /** Name of the client for display. */
  readonly clientId?: string | undefined;
  /** Time without a heartbeat after which the member is removed, in ms. Default 45,000. */
  readonly sessionTimeoutMs?: number | undefined;
  /**
   * How long the group waits for this member to revoke a partition before it fences the member, in
   * ms. Default 60,000.
   */
  readonly revokeTimeoutMs?: number | undefined;
  /** Default: the group's current assignor; "sticky" for a new group. */
  readonly assignor?: AssignorName | undefined;
}

/**
 * How partitions are assigned: "sticky" moves as few partitions as possible, "range" gives each
 * member a contiguous range of each topic's partitions, "round-robin" deals them out one at a time.
 */
export type AssignorName = "sticky" | "range" | "round-robin";

/**
 * A membership: an iterable of the member's events, and methods for the member's own messages. It
 * begins when the first event is requested. Ending the iteration without {@link leave} is like a
 * lost connection: the member may rejoin within its session timeout. The iteration throws a
 * FencedMemberError when the member is removed, and ends when the same member rejoins with a newer
 * membership.
 */
export interface GroupMembership extends AsyncIterable<MemberEvent> {
  /** Keeps the membership alive. Must be called at least every `heartbeatIntervalMs`. */
  heartbeat(): void;
  /**
   * Confirms that the member has stopped processing partitions that it was asked to revoke, and has
   * committed their offsets. `memberEpoch` is that of the last assignment received.
   */
  revoked(memberEpoch: number, partitions: readonly TopicPartition[]): void;
  /** Replaces the member's subscription. */
  subscribe(topics: readonly string[]): void;
  /** Leaves the group at once. */
  leave(): Promise<void>;
}

/** An event of a membership. */
export type MemberEvent = JoinedEvent | AssignmentEvent | OffsetsResetEvent;

/** The first event of a membership. */
export interface JoinedEvent {
  readonly type: "joined";
  readonly memberId: string;
  /** For a member that rejoins, the epoch that it sent: a newer one arrives with a later event. */
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
}

/**
 * All partitions that the member owns from now on. A partition that it owned before and that is not
 * listed must be revoked: the member stops processing it, commits its offset and calls
 * {@link GroupMembership.revoked}. A partition that is newly listed has no other owner. An
 * assignment always follows {@link JoinedEvent}, also after a rejoin. If the member requests events
 * slowly, only the latest assignment is delivered.
 */
export interface AssignmentEvent {
  readonly type: "assignment";
  /** The epoch to use in commits from now on. */
  readonly memberEpoch: number;
  readonly partitions: readonly AssignedPartition[];
  /**
   * Partitions that the group waits for this member to revoke. Each must be confirmed with
   * {@link GroupMembership.revoked}, even if the member has already stopped processing it: an
   * earlier confirmation may have been lost with a connection.
   */
  readonly revoking: readonly TopicPartition[];
}

/** A partition assigned to a member, and its committed offset. */
export interface AssignedPartition extends TopicPartition {
  /** Undefined if nothing has been committed. */
  readonly committedOffset?: number | undefined;
}

/**
 * The committed offsets of these partitions were reset: the member continues from there, and must
 * not commit records that it read before. Partitions that it does not own are ignored. An
 * assignment with the same epoch follows.
 */
export interface OffsetsResetEvent {
  readonly type: "offsetsReset";
  /**
   * The epoch to use in commits from now on: commits for these partitions with an older epoch are
   * refused.
   */
  readonly memberEpoch: number;
  readonly offsets: readonly (TopicPartition & { readonly offset: number })[];
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
  /** Set if the partition cannot be read to its end: the lag then counts only the known records. */
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
