/**
 * Decides the changes of a group for all inputs since its last turn: members that join or leave,
 * change their subscription, or confirm revocations. A pure function of the group's state and the
 * existing topics: it returns changes and applies none.
 *
 * Partitions move cooperatively, as in Kafka's KIP-848. The target assigns each partition to a
 * member. A member that owns a partition assigned to another member is asked to revoke it, and
 * keeps all others. The new owner gets the partition only when it has been revoked, or its owner
 * has been removed.
 */
import type { Target } from "../assignors/assignor.js";
import type { GroupChange, GroupState, Member } from "../state/group-state.js";
import type { Steps } from "../time/slices.js";
import { applyInput } from "./apply-input.js";
import type { GroupInput, GroupTurn } from "./group-turn.js";
import { inParts } from "./in-parts.js";
import { reconcile } from "./reconcile.js";
import { targetFor } from "./target.js";
import { TurnDraft } from "./turn-draft.js";

/**
 * Runs in steps, because a group may be large. Between steps commits may change the group, but
 * nothing else may.
 *
 * @param topics the existing topics, with their number of partitions
 */
export function* takeTurn(
  state: GroupState,
  inputs: readonly GroupInput[],
  topics: ReadonlyMap<string, number>,
  at: number,
): Steps<GroupTurn> {
  const draft = new TurnDraft(state);
  for (const input of inputs) yield* applyInput(draft, input);
  const target = yield* targetFor(draft, topics);
  yield* reconcile(draft, target);
  return turnOf(draft, at, target);
}

function turnOf(draft: TurnDraft, at: number, target: Target): GroupTurn {
  const members = [...draft.changed].map((memberId) => draft.members.get(memberId)!);
  const changes = changesOf(draft, at, members);
  return { changes, members, removed: draft.removed, epoch: draft.epoch, target };
}

function changesOf(draft: TurnDraft, at: number, members: readonly Member[]): GroupChange[] {
  const { group, owner, assignor, commits } = draft.state;
  // Only now, because commits may have been made since the turn began.
  const forgotten = draft.forgotten.filter((topic) => commits.has(topic));
  const isSame = members.length === 0 && draft.removed.length === 0 && draft.assignor === assignor;
  if (isSame && forgotten.length === 0) return [];
  const whole = { group, at, owner, epoch: draft.epoch, assignor: draft.assignor };
  const parts = inParts(members);
  if (parts.length <= 1) return [{ ...whole, members, removed: draft.removed, forgotten }];
  const losses = inParts(draft.beforeGains.filter(({ memberId }) => draft.state.members.has(memberId)));
  return [
    { ...whole, removed: draft.removed, forgotten },
    // Two members may swap partitions: neither gets one before the other has lost it.
    ...[...losses, ...parts].map((some) => ({ ...whole, members: some })),
  ];
}
