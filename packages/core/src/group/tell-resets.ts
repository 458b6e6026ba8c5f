/** Tells members that offsets of their partitions were reset. */
import type { ResetDecision } from "./decide/resets.js";
import type { GroupParts } from "./group-parts.js";
import { assignmentOf } from "./members/news.js";
import type { GroupState } from "./state/group-state.js";
import type { Steps } from "./time/slices.js";

/**
 * @param state after the reset
 * @param durable the members are told once it has resolved
 */
export function* tellResets(
  { members, topics }: GroupParts,
  state: GroupState,
  told: ResetDecision["told"],
  durable: Promise<void>,
): Steps {
  const idOf = (topic: string) => topics.id(topic);
  for (const [memberId, offsets] of told) {
    const member = state.members.get(memberId)!;
    const resets = { type: "offsetsReset", memberEpoch: member.epoch, offsets } as const;
    members.tell(state.group, memberId, { resets, assignment: assignmentOf(state, member, idOf) }, durable);
    yield;
  }
}
