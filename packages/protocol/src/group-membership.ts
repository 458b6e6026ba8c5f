/** Membership in a consumer group: the messages of a member and the events that it receives. */
import type { TopicPartition } from "./topic-partition.js";

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
