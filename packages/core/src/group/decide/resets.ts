/** Decides the reset of a group's offsets. A pure function. */
import { type CommitChange, type GroupChange, type GroupState, type Member, NEVER } from "../state/group-state.js";
import type { Steps } from "../time/slices.js";

export interface PartitionOffset {
  readonly topic: string;
  readonly topicId: string | undefined;
  readonly partition: number;
  readonly offset: number;
}

export interface ResetDecision {
  readonly change: GroupChange;
  /** The resets that each owner must be told. */
  readonly told: ReadonlyMap<string, readonly PartitionOffset[]>;
}

/** Number of partitions between two steps. */
const STEP_PARTITIONS = 500;

/**
 * Owners keep their partitions under a new epoch, so that commits with an older epoch, by members
 * that do not know of the reset yet, cannot undo it. A member that is revoking a partition can no
 * longer commit it.
 */
export function* decideReset(state: GroupState, offsets: readonly PartitionOffset[], at: number): Steps<ResetDecision> {
  const { group } = state;
  const epoch = state.epoch + 1;
  const wanted = byTopic(offsets);
  const members: Member[] = [];
  const told = new Map<string, PartitionOffset[]>();
  let looks = 0;
  for (const member of state.members.values()) {
    yield;
    const ofMember: PartitionOffset[] = [];
    const holdings = new Map(member.holdings);
    for (const [topic, partitions] of member.holdings) {
      const ofTopic = wanted.get(topic);
      if (ofTopic === undefined) continue;
      const changed = new Map(partitions);
      for (const [partition, holding] of partitions) {
        if (++looks % STEP_PARTITIONS === 0) yield;
        const each = ofTopic.get(partition);
        if (each === undefined) continue;
        const isKept = holding.revokedAt === undefined;
        changed.set(partition, { ...holding, since: isKept ? epoch : NEVER });
        if (isKept) ofMember.push(each);
        holdings.set(topic, changed);
      }
    }
    if (![...holdings].some(([topic, partitions]) => member.holdings.get(topic) !== partitions)) continue;
    members.push({ ...member, holdings, epoch: ofMember.length > 0 ? epoch : member.epoch });
    if (ofMember.length > 0) told.set(member.memberId, ofMember);
  }
  const commits: CommitChange[] = offsets.map((each) => ({ ...each, metadata: "" }));
  return { change: { group, at, epoch, members, commits }, told };
}

function byTopic(offsets: readonly PartitionOffset[]): Map<string, Map<number, PartitionOffset>> {
  const found = new Map<string, Map<number, PartitionOffset>>();
  for (const each of offsets) {
    const ofTopic = found.get(each.topic);
    if (ofTopic === undefined) found.set(each.topic, new Map([[each.partition, each]]));
    else ofTopic.set(each.partition, each);
  }
  return found;
}
