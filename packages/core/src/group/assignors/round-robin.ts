/**
 * Deals all partitions to one member after another, skipping members that do not subscribe to the
 * topic.
 */
import { type Assignor, byName, byRank } from "./assignor.js";

export const roundRobin: Assignor = function* ({ members, topics }) {
  const ranked = byRank(members);
  const target = new Map<string, (string | undefined)[]>();
  /** Position of the next member, if it subscribes to the topic. */
  let next = 0;
  for (const [topic, count] of byName(topics)) {
    const wanting = [...ranked.keys()].filter((place) => ranked[place]!.topics.has(topic));
    let i = firstFrom(wanting, next);
    const owners = Array.from({ length: count }, () => {
      if (wanting.length === 0) return undefined;
      if (i === wanting.length) i = 0;
      const place = wanting[i++]!;
      next = (place + 1) % ranked.length;
      return ranked[place]!.memberId;
    });
    target.set(topic, owners);
    yield;
  }
  return target;
};

/** Index of the first place at or after `from`; the length if there is none. */
function firstFrom(places: readonly number[], from: number): number {
  const found = places.findIndex((place) => place >= from);
  return found < 0 ? places.length : found;
}
