import type { AssignableMember } from "./assignor.js";

/** What a member has so far. */
export interface Share {
  readonly member: AssignableMember;
  /** Among all members. */
  readonly place: number;
  /** By topic: what it keeps first, then what came. Never an empty list. */
  readonly partitions: Map<string, number[]>;
  count: number;
  /** Nobody was found who could take anything of it, by way of whomever. */
  isStuck: boolean;
  /** Nobody was found who could take anything of it directly. */
  hasNoNext: boolean;
}

/** Partitions that nobody has. */
export type Free = readonly (readonly [topic: string, partition: number])[];

export function give(share: Share, topic: string, partition: number): void {
  const some = share.partitions.get(topic);
  if (some === undefined) share.partitions.set(topic, [partition]);
  else some.push(partition);
  share.count++;
}

/** Of the topic of which the one has most more than the other, what came last. */
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
