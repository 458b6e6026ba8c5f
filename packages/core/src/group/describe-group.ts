/** Lists and describes groups for administration. */
import type {
  GroupDescription,
  GroupMember,
  GroupPartition,
  GroupSummary,
  GroupState as State,
  TopicPartition,
} from "@logstore/protocol";
import { PacedTask } from "../pacing/pacer.js";
import type { Target } from "./assignors/assignor.js";
import { byName, byNumber, byPartition } from "./members/news.js";
import { type GroupState, holdingsOf, type Member } from "./state/group-state.js";
import type { Lag } from "./state/group-topics.js";

/** Number of lags that are looked up concurrently. */
const AT_ONCE = 16;

interface Held {
  readonly partitions: number;
  readonly isRevoking: boolean;
}

/**
 * Members and targets are replaced instead of modified, so that the count of each can be cached.
 */
const heldBy = new WeakMap<Member, Held>();
const meantBy = new WeakMap<Target, number>();

function stateOf({ members, target }: GroupState): State {
  if (members.size === 0) return "empty";
  if (target === undefined) return "rebalancing";
  let meant = meantIn(target);
  for (const member of members.values()) {
    const { partitions, isRevoking } = heldOf(member);
    if (isRevoking) return "rebalancing";
    meant -= partitions;
  }
  return meant === 0 ? "stable" : "rebalancing";
}

function meantIn(target: Target): number {
  let meant = meantBy.get(target);
  if (meant !== undefined) return meant;
  meant = 0;
  for (const owners of target.values()) for (const owner of owners) if (owner !== undefined) meant++;
  meantBy.set(target, meant);
  return meant;
}

function heldOf(member: Member): Held {
  let held = heldBy.get(member);
  if (held !== undefined) return held;
  let [partitions, isRevoking] = [0, false];
  for (const ofTopic of member.holdings.values()) {
    partitions += ofTopic.size;
    if (isRevoking) continue;
    for (const { revokedAt } of ofTopic.values()) if (revokedAt !== undefined) isRevoking = true;
  }
  held = { partitions, isRevoking };
  heldBy.set(member, held);
  return held;
}

/** Sorted by name. */
export async function listGroups(states: Iterable<GroupState>): Promise<GroupSummary[]> {
  const task = new PacedTask();
  const groups: GroupSummary[] = [];
  for (const state of [...states]) {
    groups.push({ group: state.group, state: stateOf(state), memberCount: state.members.size });
    if (task.isDue) await task.pause();
  }
  return groups.sort((a, b) => (a.group < b.group ? -1 : 1));
}

/** @param lagOf called for a few partitions at a time */
export async function describeGroup(
  state: GroupState,
  isConnected: (memberId: string) => boolean,
  lagOf: (partition: TopicPartition, committed: number | undefined) => Promise<Lag>,
): Promise<GroupDescription> {
  const { group, epoch, assignor } = state;
  const task = new PacedTask();
  const members: GroupMember[] = [];
  for (const member of [...state.members.values()]) {
    while (task.isDue) await task.pause();
    members.push(describeMember(member, isConnected(member.memberId)));
  }
  members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const known = await knownPartitions(state);
  const description = { group, state: stateOf(state), groupEpoch: epoch, assignor, members };
  const partitions: GroupPartition[] = new Array(known.length);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < known.length; i = next++) {
      while (task.isDue) await task.pause();
      partitions[i] = { ...known[i]!, ...(await lagOf(known[i]!, known[i]!.committedOffset)) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { ...description, partitions };
}

function describeMember(member: Member, connected: boolean): GroupMember {
  const { memberId, epoch: memberEpoch, instanceId, clientId, topics } = member;
  const assigned: TopicPartition[] = [];
  const revoking: TopicPartition[] = [];
  for (const [topic, partition, { revokedAt }] of holdingsOf(member)) {
    assigned.push({ topic, partition });
    if (revokedAt !== undefined) revoking.push({ topic, partition });
  }
  assigned.sort(byPartition);
  revoking.sort(byPartition);
  return { memberId, memberEpoch, instanceId, clientId, topics, assigned, revoking, connected };
}

type KnownPartition = Omit<GroupPartition, keyof Lag>;

/** All partitions that are owned or have a committed offset. */
export async function knownPartitions({ members, commits }: GroupState): Promise<KnownPartition[]> {
  const byTopic = new Map<string, Map<number, KnownPartition>>();
  const add = (topic: string, partition: number, memberId: string | undefined) => {
    let ofTopic = byTopic.get(topic);
    if (ofTopic === undefined) {
      ofTopic = new Map();
      byTopic.set(topic, ofTopic);
    }
    if (ofTopic.has(partition)) return;
    const commit = commits.get(topic)?.get(partition);
    const { offset: committedOffset, metadata = "", committedAt } = commit ?? {};
    ofTopic.set(partition, { topic, partition, memberId, committedOffset, metadata, committedAt });
  };
  const task = new PacedTask();
  for (const { memberId, holdings } of [...members.values()]) {
    for (const [topic, partitions] of holdings) {
      for (const partition of partitions.keys()) {
        add(topic, partition, memberId);
        if (task.isDue) await task.pause();
      }
    }
  }
  for (const [topic, partitions] of [...commits]) {
    for (const partition of [...partitions.keys()]) {
      add(topic, partition, undefined);
      if (task.isDue) await task.pause();
    }
  }
  const known: KnownPartition[] = [];
  for (const [, ofTopic] of [...byTopic].sort(byName)) {
    if (task.isDue) await task.pause();
    for (const [, partition] of [...ofTopic].sort(byNumber)) known.push(partition);
  }
  return known;
}
