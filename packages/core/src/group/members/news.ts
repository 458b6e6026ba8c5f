/** Messages to members. */
import type { AssignmentEvent, JoinedEvent, OffsetsResetEvent, TopicPartition } from "@logstore/protocol";
import { type GroupState, holdingsOf, type Member, NEVER } from "../state/group-state.js";
import { heartbeatIntervalMs } from "../state/limits.js";

/** A topic's id; undefined if the topic does not exist. */
export type IdOf = (topic: string) => string | undefined;

export interface MemberNews {
  readonly joined?: JoinedEvent | undefined;
  readonly resets?: OffsetsResetEvent | undefined;
  readonly assignment: AssignmentEvent;
}

/** For a new member. */
export function welcome(state: GroupState, member: Member, idOf: IdOf): MemberNews {
  return { joined: joinedOf(member, member.epoch), assignment: assignmentOf(state, member, idOf) };
}

/**
 * For a member that rejoins. It is welcomed with the epoch that it knows; the newer epoch comes
 * with the events that it missed, and not before them.
 *
 * @param knownEpoch may be older than the epoch of events that it was sent but did not receive; 0
 * if it never received the response to its join
 */
export function welcomeBack(state: GroupState, member: Member, knownEpoch: number, idOf: IdOf): MemberNews {
  if (knownEpoch === 0) return welcome(state, member, idOf);
  return {
    joined: joinedOf(member, knownEpoch),
    resets: missedResets(state, member, knownEpoch),
    assignment: assignmentOf(state, member, idOf),
  };
}

export function assignmentOf({ commits }: GroupState, member: Member, idOf: IdOf): AssignmentEvent {
  const partitions: (TopicPartition & { readonly committedOffset: number | undefined })[] = [];
  const revoking: TopicPartition[] = [];
  for (const [topic, held] of [...member.holdings].sort(byName)) {
    const committed = commits.get(topic);
    const topicId = idOf(topic);
    for (const [partition, { revokedAt }] of [...held].sort(byNumber)) {
      if (revokedAt !== undefined) revoking.push({ topic, partition });
      else partitions.push({ topic, topicId, partition, committedOffset: committed?.get(partition)?.offset });
    }
  }
  return { type: "assignment", memberEpoch: member.epoch, partitions, revoking };
}

/**
 * Resets that it did not receive, and offsets of partitions that it was assigned in the meantime,
 * including partitions that it must revoke now.
 */
function missedResets({ commits }: GroupState, member: Member, knownEpoch: number): OffsetsResetEvent | undefined {
  const offsets: (TopicPartition & { readonly offset: number })[] = [];
  for (const [topic, partition, { since }] of holdingsOf(member)) {
    const offset = commits.get(topic)?.get(partition)?.offset;
    if (since > knownEpoch && since !== NEVER && offset !== undefined) offsets.push({ topic, partition, offset });
  }
  return offsets.length === 0 ? undefined : { type: "offsetsReset", memberEpoch: member.epoch, offsets };
}

function joinedOf({ memberId, sessionTimeoutMs }: Member, memberEpoch: number): JoinedEvent {
  const intervalMs = heartbeatIntervalMs(sessionTimeoutMs);
  return { type: "joined", memberId, memberEpoch, heartbeatIntervalMs: intervalMs, sessionTimeoutMs };
}

/** Compares entries of a map by topic. */
export function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares entries of a map by partition. */
export function byNumber([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number {
  return a - b;
}

export function byPartition(a: TopicPartition, b: TopicPartition): number {
  return a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition;
}
