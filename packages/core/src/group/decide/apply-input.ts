/** Applies one input to the members of a group. */
import type { TopicPartition } from "@logstore/protocol";
import { holdingOf, type Member, NEVER } from "../state/group-state.js";
import type { Joining } from "../state/limits.js";
import type { Steps } from "../time/slices.js";
import type { GroupInput } from "./group-turn.js";
import { HoldingsDraft } from "./holdings-draft.js";
import { STEP_PARTITIONS } from "./step-partitions.js";
import { isWanted } from "./subscriptions.js";
import type { TurnDraft } from "./turn-draft.js";

export function* applyInput(draft: TurnDraft, input: GroupInput): Steps {
  yield;
  const { type } = input;
  // Changed topics need no action here: the target is always compared with them.
  if (type === "join") join(draft, input.memberId, input.joining);
  else if (type === "gone") draft.remove(input.memberId);
  else if (type === "subscribe") subscribe(draft, input.memberId, input.topics);
  else if (type === "revoked") yield* revoked(draft, input.memberId, input.memberEpoch, input.partitions);
  else if (type === "topicDeleted") yield* topicDeleted(draft, input.topic);
}

function join(draft: TurnDraft, memberId: string, { assignor, ...said }: Joining): void {
  if (assignor !== undefined && assignor !== draft.assignor) {
    draft.assignor = assignor;
    draft.isStale = true;
  }
  const { instanceId } = said;
  const before = draft.memberOfInstance(instanceId);
  const member: Member = { ...said, memberId, epoch: draft.epoch, holdings: new Map() };
  if (before) {
    succeed(draft, before, member);
    return;
  }
  draft.isStale = true;
  draft.put(member);
}

/**
 * The new member takes the place of the old one, with all partitions that the old one was to keep.
 */
function succeed(draft: TurnDraft, before: Member, member: Member): void {
  draft.remove(before.memberId, member.memberId);
  if (String(before.topics) !== String(member.topics)) draft.isStale = true;
  const kept = new HoldingsDraft(member);
  for (const [topic, partitions] of before.holdings) {
    // It is not told of topics to which it does not subscribe: it may not have permission to know
    // of them.
    if (!isWanted(member.topics, topic)) continue;
    for (const [partition, { revokedAt }] of partitions) {
      if (revokedAt === undefined) kept.set(topic, partition, { since: draft.epoch, revokedAt: undefined });
    }
  }
  draft.put(kept.done());
}

function subscribe(draft: TurnDraft, memberId: string, topics: readonly string[]): void {
  const member = draft.members.get(memberId);
  if (member === undefined || String(member.topics) === String(topics)) return;
  draft.put({ ...member, topics });
  draft.isStale = true;
}

function* revoked(
  draft: TurnDraft,
  memberId: string,
  memberEpoch: number,
  partitions: readonly TopicPartition[],
): Steps {
  const member = draft.members.get(memberId);
  if (member === undefined) return;
  const kept = new HoldingsDraft(member);
  for (const [i, { topic, partition }] of partitions.entries()) {
    if (i % STEP_PARTITIONS === 0) yield;
    const revokedAt = holdingOf(member, topic, partition)?.revokedAt;
    // A confirmation is ignored if it was sent before the member was asked to revoke the partition.
    if (revokedAt !== undefined && memberEpoch >= revokedAt) kept.delete(topic, partition);
  }
  if (kept.isChanged) draft.put(kept.done());
}

function* topicDeleted(draft: TurnDraft, topic: string): Steps {
  draft.forgotten.push(topic);
  for (const member of [...draft.members.values()]) {
    const kept = new HoldingsDraft(member);
    for (const [partition, { revokedAt = draft.epoch }] of member.holdings.get(topic) ?? []) {
      kept.set(topic, partition, { since: NEVER, revokedAt });
    }
    if (kept.isChanged) draft.tell(kept.done());
    yield;
  }
}
