/** What members are told. */
import type { AssignmentEvent, JoinedEvent, OffsetsResetEvent, TopicPartition } from "@logstore/protocol";
import { type GroupState, holdingsOf, type Member, NEVER } from "../state/group-state.js";
import { heartbeatIntervalMs } from "../state/limits.js";

/** A topic's id; undefined where there is no such topic. */
export type IdOf = (topic: string) => string | undefined;

export interface MemberNews {
  readonly joined?: JoinedEvent | undefined;
  readonly resets?: OffsetsResetEvent | undefined;
  readonly assignment: AssignmentEvent;
}

/** To a member that is new. */
export function welcome(state: GroupState, member: Member, idOf: IdOf): MemberNews {
  return { joined: joinedOf(member, member.epoch), assignment: assignmentOf(state, member, idOf) };
}

/**
 * To one that goes on. It has joined with the epoch that it knows: the newer one comes with what is
 * new, and not before it.
 *
 * @param knownEpoch which may be older than that of what it was told while nobody listened; 0 where
 * it never heard of its join
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
 * Offsets that were reset, or partitions that it got, while it heard nothing; also of what it is to
 * give up now.
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

/** Of the entries of a map by topic. */
export function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Of the entries of a map by partition. */
export function byNumber([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number {
  return a - b;
}

export function byPartition(a: TopicPartition, b: TopicPartition): number {
  return a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition;
}
