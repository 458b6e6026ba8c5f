/** A group as people see it. */
import type {
  GroupDescription,
  GroupMember,
  GroupPartition,
  GroupState as State,
  TopicPartition,
} from "@logstore/protocol";
import { type GroupState, holdingsOf, type Member } from "./group-state.js";
import type { Lag } from "./group-topics.js";
import { byPartition } from "./news.js";

/** Lags that are looked up at once. */
const AT_ONCE = 16;

export function stateOf({ members, target }: GroupState): State {
  if (members.size === 0) return "empty";
  let meant = 0;
  for (const owners of target?.values() ?? []) for (const owner of owners) if (owner !== undefined) meant++;
  for (const member of members.values()) {
    for (const [, , { revokedAt }] of holdingsOf(member)) {
      if (revokedAt !== undefined) return "rebalancing";
      meant--;
    }
  }
  return target !== undefined && meant === 0 ? "stable" : "rebalancing";
}

/** @param lagOf asked for a few partitions at a time */
export async function describeGroup(
  state: GroupState,
  isConnected: (memberId: string) => boolean,
  lagOf: (partition: TopicPartition, committed: number | undefined) => Promise<Lag>,
): Promise<GroupDescription> {
  const { group, epoch, assignor } = state;
  const members = [...state.members.values()].map((member) => describeMember(member, isConnected(member.memberId)));
  members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const known = knownPartitions(state);
  const description = { group, state: stateOf(state), groupEpoch: epoch, assignor, members };
  const partitions: GroupPartition[] = new Array(known.length);
  let next = 0;
  const work = async () => {
    for (let i = next++; i < known.length; i = next++) {
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

/** Every partition that is owned or has a commit. */
export function knownPartitions({ members, commits }: GroupState): KnownPartition[] {
  const known: KnownPartition[] = [];
  const owned = new Map<string, Set<number>>();
  const add = (topic: string, partition: number, memberId: string | undefined) => {
    const commit = commits.get(topic)?.get(partition);
    const { offset: committedOffset, metadata = "", committedAt } = commit ?? {};
    known.push({ topic, partition, memberId, committedOffset, metadata, committedAt });
  };
  for (const member of members.values()) {
    for (const [topic, partition] of holdingsOf(member)) {
      add(topic, partition, member.memberId);
      const ofTopic = owned.get(topic);
      if (ofTopic === undefined) owned.set(topic, new Set([partition]));
      else ofTopic.add(partition);
    }
  }
  for (const [topic, partitions] of commits) {
    for (const partition of partitions.keys()) if (!owned.get(topic)?.has(partition)) add(topic, partition, undefined);
  }
  return known.sort(byPartition);
}
