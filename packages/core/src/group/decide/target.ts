/** The assignment of a group's partitions to its members. */
import type { AssignableMember, Target } from "../assignors/assignor.js";
import { assignors } from "../assignors/assignors.js";
import { holdingsOf } from "../state/group-state.js";
import type { Steps } from "../time/slices.js";
import { resolveSubscriptions } from "./subscriptions.js";
import type { TurnDraft } from "./turn-draft.js";

/** Returns the previous target if it is still valid, otherwise a new one. */
export function* targetFor(draft: TurnDraft, topics: ReadonlyMap<string, number>): Steps<Target> {
  const wanted = yield* resolveSubscriptions(draft.members.values(), topics);
  const counts = new Map<string, number>();
  for (const ofMember of new Set(wanted.values())) {
    for (const topic of ofMember) counts.set(topic, topics.get(topic)!);
    yield;
  }
  const before = renamedTarget(draft);
  if (!draft.isStale && before !== undefined && hasShape(before, counts)) return before;
  const members = [...draft.members.values()].map(({ memberId, instanceId }): AssignableMember => {
    return { memberId, rank: instanceId ?? memberId, topics: wanted.get(memberId)! };
  });
  const owners = before ?? (yield* ownersIn(draft));
  const current = (topic: string, partition: number) => owners.get(topic)?.[partition];
  return yield* assignors[draft.assignor]({ members, topics: counts, current });
}

function renamedTarget(draft: TurnDraft): Target | undefined {
  const { target } = draft.state;
  if (target === undefined || draft.successors.size === 0) return target;
  const renamed = (memberId: string | undefined) => {
    let id = memberId;
    while (id !== undefined && draft.successors.has(id)) id = draft.successors.get(id);
    return id;
  };
  return new Map([...target].map(([topic, owners]) => [topic, owners.map(renamed)]));
}

/** The owners of partitions that are not being revoked. */
function* ownersIn(draft: TurnDraft): Steps<Target> {
  const owners = new Map<string, string[]>();
  for (const member of draft.members.values()) {
    for (const [topic, partition, { revokedAt }] of holdingsOf(member)) {
      if (revokedAt === undefined) ownersOf(owners, topic)[partition] = member.memberId;
    }
    yield;
  }
  return owners;
}

export function ownersOf(owners: Map<string, string[]>, topic: string): string[] {
  let ofTopic = owners.get(topic);
  if (ofTopic === undefined) {
    ofTopic = [];
    owners.set(topic, ofTopic);
  }
  return ofTopic;
}

/** Whether a target has the shape of these topics. */
function hasShape(target: Target, counts: ReadonlyMap<string, number>): boolean {
  if (target.size !== counts.size) return false;
  for (const [topic, count] of counts) if (target.get(topic)?.length !== count) return false;
  return true;
}
