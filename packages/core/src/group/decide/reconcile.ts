/** Moves partitions towards the target; no partition ever has two owners. */
import type { Target } from "../assignors/assignor.js";
import type { Steps } from "../time/slices.js";
import { HoldingsDraft } from "./holdings-draft.js";
import { STEP_PARTITIONS } from "./step-partitions.js";
import { ownersOf } from "./target.js";
import type { TurnDraft } from "./turn-draft.js";

/** Asks owners to revoke what is assigned to others, and assigns free partitions. */
export function* reconcile(draft: TurnDraft, target: Target): Steps {
  const taken = new Map<string, string[]>();
  let looks = 0;
  for (const member of [...draft.members.values()]) {
    const kept = new HoldingsDraft(member);
    for (const [topic, partitions] of member.holdings) {
      const takenOfTopic = ownersOf(taken, topic);
      const meant = target.get(topic);
      for (const [partition, holding] of partitions) {
        if (++looks % STEP_PARTITIONS === 0) yield;
        takenOfTopic[partition] = member.memberId;
        if (holding.revokedAt !== undefined || meant?.[partition] === member.memberId) continue;
        kept.set(topic, partition, { ...holding, revokedAt: draft.epoch });
      }
    }
    if (kept.isChanged) draft.tell(kept.done());
    yield;
  }
  yield* giveFree(draft, target, taken);
}

function* giveFree(draft: TurnDraft, target: Target, taken: Target): Steps {
  const gains = new Map<string, HoldingsDraft>();
  for (const [topic, owners] of target) {
    const takenOfTopic = taken.get(topic);
    for (const [partition, memberId] of owners.entries()) {
      if (partition % STEP_PARTITIONS === 0) yield;
      if (memberId === undefined || takenOfTopic?.[partition] !== undefined) continue;
      let gain = gains.get(memberId);
      if (gain === undefined) {
        const member = draft.members.get(memberId)!;
        if (draft.changed.has(memberId)) draft.beforeGains.push(member);
        gain = new HoldingsDraft(member);
        gains.set(memberId, gain);
      }
      gain.set(topic, partition, { since: draft.epoch, revokedAt: undefined });
    }
  }
  for (const gain of gains.values()) draft.tell(gain.done());
}
