/**
 * What is known of a group. It is changed by {@link apply} alone, with changes that are written down: after a crash the same
 * changes make the same state.
 */
import type { AssignorName } from "@logstore/protocol";
import type { Target } from "./assignors/assignor.js";

export interface GroupState {
  readonly group: string;
  /** One more with every change of members or of what they hold. A member's epoch is the one of the change that it was told last. */
  epoch: number;
  assignor: AssignorName;
  readonly members: Map<string, Member>;
  readonly commits: Map<string, Map<number, Commit>>;
  /** Since when it has had no members, and nobody committed; ms since the epoch. */
  emptySince: number | undefined;
  /** Whom each partition is meant for. Not written down: it follows from the rest. Undefined after a recovery. */
  target: Target | undefined;
}

export interface Member {
  readonly memberId: string;
  readonly epoch: number;
  readonly instanceId: string | undefined;
  readonly clientId: string;
  /** Names and patterns. */
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly revokeTimeoutMs: number;
  readonly holdings: Holdings;
}

/** What a member owns, by topic and partition. */
export type Holdings = ReadonlyMap<string, ReadonlyMap<number, Holding>>;

export interface Holding {
  /** Commits with an older epoch are refused. */
  readonly since: number;
  /** At this epoch it was told to give the partition up; it owns it until it has, or is out. */
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

/** One step of a group. What is left out stays. */
export interface GroupChange {
  readonly group: string;
  /** When, ms since the epoch. */
  readonly at: number;
  readonly epoch?: number | undefined;
  readonly assignor?: AssignorName | undefined;
  /** Members that are new or not what they were, whole. */
  readonly members?: readonly Member[] | undefined;
  /** Ids of members that are none any more. */
  readonly removed?: readonly string[] | undefined;
  /** Set, whatever was there. */
  readonly commits?: readonly CommitChange[] | undefined;
  /** Topics whose commits go. */
  readonly forgotten?: readonly string[] | undefined;
  /** The group goes, and all that is known of it. */
  readonly isDeleted?: boolean | undefined;
}

export interface CommitChange {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

export function newGroup(group: string): GroupState {
  return {
    group,
    epoch: 0,
    assignor: "sticky",
    members: new Map(),
    commits: new Map(),
    emptySince: undefined,
    target: undefined,
  };
}

/** Takes a step. A group that is deleted goes; one that is not there yet is made. */
export function apply(groups: Map<string, GroupState>, change: GroupChange): void {
  if (change.isDeleted) {
    groups.delete(change.group);
    return;
  }
  let state = groups.get(change.group);
  if (state === undefined) {
    state = newGroup(change.group);
    groups.set(change.group, state);
  }
  const { at, epoch, assignor, members = [], removed = [], commits = [], forgotten = [] } = change;
  const hadMembers = state.members.size > 0;
  if (epoch !== undefined) state.epoch = epoch;
  if (assignor !== undefined) state.assignor = assignor;
  for (const memberId of removed) state.members.delete(memberId);
  for (const member of members) state.members.set(member.memberId, member);
  for (const topic of forgotten) state.commits.delete(topic);
  for (const { topic, partition, offset, metadata } of commits) {
    let ofTopic = state.commits.get(topic);
    if (ofTopic === undefined) {
      ofTopic = new Map();
      state.commits.set(topic, ofTopic);
    }
    ofTopic.set(partition, { offset, metadata, committedAt: at });
  }
  if (state.members.size > 0) state.emptySince = undefined;
  else if (hadMembers || commits.length > 0 || state.emptySince === undefined) state.emptySince = at;
}

export function holdingOf(member: Member, topic: string, partition: number): Holding | undefined {
  return member.holdings.get(topic)?.get(partition);
}

export function* holdingsOf(member: Member): Generator<[topic: string, partition: number, holding: Holding], void> {
  for (const [topic, partitions] of member.holdings) {
    for (const [partition, holding] of partitions) yield [topic, partition, holding];
  }
}
