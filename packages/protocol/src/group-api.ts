/** Consumer groups, without a transport: who reads which partitions, and how far they are. */
import type { ErrorDetail } from "./error-codes.js";
import type { Position } from "./position.js";

/** Who asks, where a server knows; never part of a request. */
export interface GroupCallOptions {
  /**
   * A group that the call makes is this principal's, and counts against what one principal's groups
   * may hold.
   */
  readonly principal?: string | undefined;
}

/**
 * Consumer groups: membership, commits, description, resets. Every method rejects with a
 * LogStoreError.
 */
export interface GroupApi {
  /** Becomes a member of a group, or goes on as one after a lost connection. */
  joinGroup(request: JoinGroupRequest, options?: GroupCallOptions): GroupMembership;

  /**
   * Notes how far a group is; resolves when that is durable. Each partition is answered by itself,
   * in the order of the request: a partition that the member does not own, or not any more, is
   * refused and the others are taken.
   */
  commitOffsets(request: CommitOffsetsRequest, options?: GroupCallOptions): Promise<CommitResult[]>;

  /**
   * What a group committed, by topic and partition; or of these partitions, in their order. Those
   * without a commit are left out.
   */
  fetchOffsets(group: string, partitions?: readonly TopicPartition[]): Promise<CommittedOffset[]>;

  /** By name. */
  listGroups(): Promise<GroupSummary[]>;

  describeGroup(group: string): Promise<GroupDescription>;

  /**
   * Sets committed offsets, whoever reads meanwhile: running members are told, and go on there.
   * Resolves to what was set.
   */
  resetOffsets(request: ResetOffsetsRequest): Promise<CommittedOffset[]>;

  /** Deletes a group without members, and all that it committed. */
  deleteGroup(group: string): Promise<void>;
}

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  /**
   * In a request: the id that the topic is known by; with another topic of that name it fails. In
   * an answer: the topic's id.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
}

/** A member that joins a group, or joins again. */
export interface JoinGroupRequest {
  /** Formed like a topic's name. */
  readonly group: string;
  /**
   * Names, or patterns in which `*` stands for anything: topics that are made later are included. A
   * pattern that does not end in `.parked` leaves out the topics that do.
   */
  readonly topics: readonly string[];
  /**
   * Chosen by the client, a UUID for example; default: the group draws one. With epoch 0, an id
   * that the group does not know makes a new member; one that it knows is that member, which did
   * not hear of its join and joins again.
   */
  readonly memberId?: string | undefined;
  /**
   * The epoch heard last, with `memberId`; 0, the default, before any was heard. With another one
   * the membership goes on. One that is older than what the member has shown to know is refused.
   */
  readonly memberEpoch?: number | undefined;
  /**
   * A static member: its place is kept for the session timeout, and given to whoever joins with the
   * same one.
   */
  readonly instanceId?: string | undefined;
  /** Who it is, for people. */
  readonly clientId?: string | undefined;
  /** ms without a heartbeat after which the member is out. Default 45,000. */
  readonly sessionTimeoutMs?: number | undefined;
  /**
   * ms that the group waits for a partition to be given up before the member is fenced. Default
   * 60,000.
   */
  readonly revokeTimeoutMs?: number | undefined;
  /** Default: what the group has; "sticky" for a new one. */
  readonly assignor?: AssignorName | undefined;
}

/**
 * How partitions are shared out: "sticky" moves as few as possible, "range" gives each member
 * neighbours of each topic, "round-robin" deals them out one by one.
 */
export type AssignorName = "sticky" | "range" | "round-robin";

/**
 * A membership: its events, and what the member says. It begins when the first event is asked for.
 * Ending the iteration without {@link leave} is like a lost connection: the member may come back
 * within its session timeout. The iteration throws a FencedMemberError when the member is out, and
 * ends where the same member goes on by a newer membership.
 */
export interface GroupMembership extends AsyncIterable<MemberEvent> {
  /** To be called at least every `heartbeatIntervalMs`. */
  heartbeat(): void;
  /**
   * Partitions that an assignment no longer named were given up: nothing is worked on, and what is
   * to be committed is. `memberEpoch`: of the last assignment heard.
   */
  revoked(memberEpoch: number, partitions: readonly TopicPartition[]): void;
  /** Other topics from now on. */
  subscribe(topics: readonly string[]): void;
  /** Leaves the group at once. */
  leave(): Promise<void>;
}

/** What a membership yields. */
export type MemberEvent = JoinedEvent | AssignmentEvent | OffsetsResetEvent;

/** The first event. */
export interface JoinedEvent {
  readonly type: "joined";
  readonly memberId: string;
  /**
   * Of a member that goes on, the one it came with: what is newer comes with an event of its own.
   */
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
}

/**
 * Everything that the member owns from now on. What it had and does not find here, it is to give
 * up, and say {@link GroupMembership.revoked}. What is new is free: nobody else works on it. It
 * comes after {@link JoinedEvent} always, also where a membership goes on; of several that were not
 * asked for in time, the last one alone comes.
 */
export interface AssignmentEvent {
  readonly type: "assignment";
  /** Goes into commits from now on. */
  readonly memberEpoch: number;
  readonly partitions: readonly AssignedPartition[];
  /**
   * What the group waits for this member to give up. Each is to be answered by
   * {@link GroupMembership.revoked}, at once where nothing is worked on it any more: an earlier
   * answer may have been lost with a connection.
   */
  readonly revoking: readonly TopicPartition[];
}

/** A partition that a member owns, and where it goes on. */
export interface AssignedPartition extends TopicPartition {
  /** Undefined where nothing was committed yet. */
  readonly committedOffset?: number | undefined;
}

/**
 * Somebody reset these: the member goes on there, and what it has in hand of them is not to be
 * committed. Partitions that it does not own are passed over. An assignment with the same epoch
 * follows.
 */
export interface OffsetsResetEvent {
  readonly type: "offsetsReset";
  /** Goes into commits from now on: for these partitions, those with an older one are refused. */
  readonly memberEpoch: number;
  readonly offsets: readonly (TopicPartition & { readonly offset: number })[];
}

/** The offset to commit for a partition: the next one to process. */
export interface PartitionCommit extends TopicPartition {
  /**
   * One past the last record that was processed. One below what is committed already changes
   * nothing: only a reset goes back.
   */
  readonly offset: number;
  /** Whatever the member likes to keep with it, 4 KiB at most. Default "". */
  readonly metadata?: string | undefined;
}

/** Offsets that a member, or nobody in particular, commits for a group. */
export interface CommitOffsetsRequest {
  readonly group: string;
  /** Left out: by nobody in particular, and taken only while the group has no members. */
  readonly memberId?: string | undefined;
  readonly memberEpoch?: number | undefined;
  readonly offsets: readonly PartitionCommit[];
}

/** What became of the commit of one partition. */
export interface CommitResult {
  /** Undefined where it was committed. */
  readonly error?: ErrorDetail | undefined;
}

/** The offset that a group has committed for a partition: the next one to process. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
  /** ms since the epoch. */
  readonly committedAt: number;
}

/**
 * "empty": no members; "rebalancing": partitions are moving; "stable": each member has what it is
 * to have.
 */
export type GroupState = "empty" | "rebalancing" | "stable";

/** A group, as `listGroups` tells of it. */
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
  /** Every partition that is assigned or has a commit, by topic and number. */
  readonly partitions: readonly GroupPartition[];
}

/** A member of a group, as `describeGroup` tells of it. */
export interface GroupMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly assigned: readonly TopicPartition[];
  /** Those of them that it is to give up and still has. */
  readonly revoking: readonly TopicPartition[];
  /** Whether its membership is being iterated over, its stream open. */
  readonly connected: boolean;
}

/** A partition that a group reads or has committed: its owner, offsets and lag. */
export interface GroupPartition extends TopicPartition {
  /** Undefined where nobody owns it. */
  readonly memberId: string | undefined;
  readonly committedOffset: number | undefined;
  readonly metadata: string;
  /** ms since the epoch. */
  readonly committedAt: number | undefined;
  readonly logEndOffset: number;
  /** Records between the committed offset, or the log's start, and its end. */
  readonly lag: number;
  /** How long ago the first of them was appended; 0 where there are none. */
  readonly lagMs: number;
  /** Why the partition cannot be read to its end, if so: the lag is what is known of. */
  readonly damage?: ErrorDetail | undefined;
}

/** Offsets that a group is to go on from. Running members go there, too. */
export interface ResetOffsetsRequest {
  readonly group: string;
  /** Default: every partition that the group committed or owns. */
  readonly partitions?: readonly TopicPartition[] | undefined;
  /**
   * An offset beyond a partition's bounds becomes the nearest one within. `shiftBy`: so many
   * records further, or back.
   */
  readonly to: Position | { readonly shiftBy: number };
}
