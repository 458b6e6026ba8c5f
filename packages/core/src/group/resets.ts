/** What becomes of a group whose offsets are set from outside. Pure. */
import { type CommitChange, type GroupChange, type GroupState, holdingOf, type Member, NEVER } from "./group-state.js";

export interface PartitionOffset {
  readonly topic: string;
  readonly topicId: string | undefined;
  readonly partition: number;
  readonly offset: number;
}

export interface ResetDecision {
  readonly change: GroupChange;
  /** What each member that goes on with some of them is to be told. */
  readonly told: ReadonlyMap<string, readonly PartitionOffset[]>;
}

/**
 * Owners go on under a new epoch: what they commit with an older one, not having heard of the reset, does not undo it. Who was
 * giving a partition up commits it no more.
 */
export function decideReset(state: GroupState, offsets: readonly PartitionOffset[], at: number): ResetDecision {
  const { group } = state;
  const epoch = state.epoch + 1;
  const members: Member[] = [];
  const told = new Map<string, PartitionOffset[]>();
  for (const member of state.members.values()) {
    const ofMember: PartitionOffset[] = [];
    const holdings = new Map([...member.holdings].map(([topic, partitions]) => [topic, new Map(partitions)]));
    let isChanged = false;
    for (const each of offsets) {
      const holding = holdingOf(member, each.topic, each.partition);
      if (holding === undefined) continue;
      const isKept = holding.revokedAt === undefined;
      holdings.get(each.topic)!.set(each.partition, { ...holding, since: isKept ? epoch : NEVER });
      if (isKept) ofMember.push(each);
      isChanged = true;
    }
    if (!isChanged) continue;
    members.push({ ...member, holdings, epoch: ofMember.length > 0 ? epoch : member.epoch });
    if (ofMember.length > 0) told.set(member.memberId, ofMember);
  }
  const commits: CommitChange[] = offsets.map((each) => ({ ...each, metadata: "" }));
  return { change: { group, at, epoch, members, commits }, told };
}
