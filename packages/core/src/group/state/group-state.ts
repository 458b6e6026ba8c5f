/**
 * The state of a group. Only {@link apply} modifies it, with changes that are written to the log:
 * after a crash the same changes produce the same state.
 */
import type { AssignorName } from "@logstore/protocol";
import type { Target } from "../assignors/assignor.js";
import { bytesOfCommit, type GroupUsage } from "./group-usage.js";

export interface GroupState {
  readonly group: string;
  /**
   * The principal that created the group, against whose limits it counts; undefined if there was
   * none.
   */
  readonly owner: string | undefined;
  /** What counts against the limits. */
  readonly usage: GroupUsage;
  /**
   * Increases with every change of the members or their partitions. A member's epoch is that of the
   * last change sent to it.
   */
  epoch: number;
  assignor: AssignorName;
  readonly members: Map<string, Member>;
  readonly commits: Map<string, Map<number, Commit>>;
  /**
   * The ids of the topics to which the commits belong, where known: commits of another topic of the
   * same name do not count.
   */
  readonly topicIds: Map<string, string>;
  /** Time since which the group has had no members and no commits, in ms since the epoch. */
  emptySince: number | undefined;
  /**
   * The assigned member of each partition. Not written to the log, because it can be recomputed.
   * Undefined after a recovery.
   */
  target: Target | undefined;
}

export interface Member {
  readonly memberId: string;
  readonly epoch: number;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  /** Topic names and patterns. */
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly revokeTimeoutMs: number;
  readonly holdings: Holdings;
}

/** The partitions that a member owns, by topic and partition. */
export type Holdings = ReadonlyMap<string, ReadonlyMap<number, Holding>>;

export interface Holding {
  /** Commits with an older epoch are refused. */
  readonly since: number;
  /**
   * The epoch at which it was asked to revoke the partition; it is the owner until it has done so,
   * or is removed.
   */
  readonly revokedAt: number | undefined;
}

/** `since` of a partition for which no commit of its owner counts any more. */
export const NEVER = Number.MAX_SAFE_INTEGER;

export interface Commit {
  readonly offset: number;
  readonly metadata: string;
  /** ms since the epoch. */
  readonly committedAt: number;
}

/** One change of a group. A field that is left out stays unchanged. */
export interface GroupChange {
  readonly group: string;
  /** Time of the change, in ms since the epoch. */
  readonly at: number;
  /** Owner of a group that this change creates. */
  readonly owner?: string | undefined;
  readonly epoch?: number | undefined;
  readonly assignor?: AssignorName | undefined;
  /** New or changed members, each complete. */
  readonly members?: readonly Member[] | undefined;
  /** Ids of members that are removed. */
  readonly removed?: readonly string[] | undefined;
  /** Offsets to set, whatever was committed before. */
  readonly commits?: readonly CommitChange[] | undefined;
  /** Topics whose commits are dropped. */
  readonly forgotten?: readonly string[] | undefined;
  /** The group is deleted with all its state. */
  readonly isDeleted?: boolean | undefined;
}

export interface CommitChange {
  readonly topic: string;
  /** Undefined if written by release 0.1.0. The same for all commits of a topic in a change. */
  readonly topicId?: string | undefined;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

export function newGroup(group: string, owner?: string): GroupState {
  return {
    group,
    owner,
    usage: { groups: 1, members: 0, subscriptions: 0, assignments: 0, commitBytes: 0 },
    epoch: 0,
    assignor: "sticky",
    members: new Map(),
    commits: new Map(),
    topicIds: new Map(),
    emptySince: undefined,
    target: undefined,
  };
}

/**
 * Applies a change. Creates the group if it does not exist, and removes it if the change deletes
 * it.
 */
export function apply(groups: Map<string, GroupState>, change: GroupChange): void {
  if (change.isDeleted) {
    groups.delete(change.group);
    return;
  }
  let state = groups.get(change.group);
  if (state === undefined) {
    state = newGroup(change.group, change.owner);
    groups.set(change.group, state);
  }
  const { at, epoch, assignor, members = [], removed = [], commits = [], forgotten = [] } = change;
  const hadMembers = state.members.size > 0;
  if (epoch !== undefined) state.epoch = epoch;
  if (assignor !== undefined) state.assignor = assignor;
  for (const memberId of removed) removeMember(state, memberId);
  for (const member of members) putMember(state, member);
  for (const topic of forgotten) forgetCommits(state, topic);
  for (const { topic, topicId, partition, ...commit } of commits) {
    if (topicId !== undefined) putTopicId(state, topic, topicId);
    putCommit(state, topic, partition, { ...commit, committedAt: at });
  }
  if (state.members.size > 0) state.emptySince = undefined;
  else if (hadMembers || commits.length > 0 || state.emptySince === undefined) state.emptySince = at;
}

/** Drops the commits of an earlier topic of this name. */
export function putTopicId(state: GroupState, topic: string, topicId: string): void {
  if ((state.topicIds.get(topic) ?? topicId) !== topicId) forgetCommits(state, topic);
  state.topicIds.set(topic, topicId);
}

export function putMember({ members, usage }: GroupState, member: Member): void {
  const before = members.get(member.memberId);
  members.set(member.memberId, member);
  if (before === undefined) usage.members++;
  usage.subscriptions += member.topics.length - (before?.topics.length ?? 0);
  usage.assignments += assignmentCount(member) - assignmentCount(before);
}

function removeMember({ members, usage }: GroupState, memberId: string): void {
  const member = members.get(memberId);
  if (member === undefined) return;
  members.delete(memberId);
  usage.members--;
  usage.subscriptions -= member.topics.length;
  usage.assignments -= assignmentCount(member);
}

/** Number of partitions that a member owns; 0 if there is no member. */
export function assignmentCount(member: Member | undefined): number {
  let count = 0;
  for (const partitions of member?.holdings.values() ?? []) count += partitions.size;
  return count;
}

export function putCommit({ commits, usage }: GroupState, topic: string, partition: number, commit: Commit): void {
  let ofTopic = commits.get(topic);
  if (ofTopic === undefined) {
    ofTopic = new Map();
    commits.set(topic, ofTopic);
  }
  usage.commitBytes += bytesOfCommit(commit) - bytesOfCommit(ofTopic.get(partition));
  ofTopic.set(partition, commit);
}

function forgetCommits({ commits, topicIds, usage }: GroupState, topic: string): void {
  for (const commit of commits.get(topic)?.values() ?? []) usage.commitBytes -= bytesOfCommit(commit);
  commits.delete(topic);
  topicIds.delete(topic);
}

export function holdingOf(member: Member, topic: string, partition: number): Holding | undefined {
  return member.holdings.get(topic)?.get(partition);
}

export function* holdingsOf(member: Member): Generator<[topic: string, partition: number, holding: Holding], void> {
  for (const [topic, partitions] of member.holdings) {
    for (const [partition, holding] of partitions) yield [topic, partition, holding];
  }
}
