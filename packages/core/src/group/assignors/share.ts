import type { AssignableMember } from "./assignor.js";

/** The partitions that a member has so far. */
export interface Share {
  readonly member: AssignableMember;
  /** Position among all members. */
  readonly place: number;
  /** By topic: first the partitions that it keeps, then added ones. Never an empty list. */
  readonly partitions: Map<string, number[]>;
  count: number;
  /** No path was found over which any of its partitions can move. */
  isStuck: boolean;
  /** No member was found that can take any of its partitions directly. */
  hasNoNext: boolean;
}

/** Partitions without an owner. */
export type Free = readonly (readonly [topic: string, partition: number])[];

export function give(share: Share, topic: string, partition: number): void {
  const some = share.partitions.get(topic);
  if (some === undefined) share.partitions.set(topic, [partition]);
  else some.push(partition);
  share.count++;
}

/** Moves the last added partition of the topic in which `from` exceeds `to` the most. */
export function moveOne(from: Share, to: Share): void {
  let topic = "";
  let most = Number.NEGATIVE_INFINITY;
  for (const [name, some] of from.partitions) {
    const more = some.length - (to.partitions.get(name)?.length ?? 0);
    if (!to.member.topics.has(name) || more <= most) continue;
    topic = name;
    most = more;
  }
  const some = from.partitions.get(topic)!;
  give(to, topic, some.pop()!);
  if (some.length === 0) from.partitions.delete(topic);
  from.count--;
}
