/**
 * Divides the partitions of each topic into contiguous ranges: partitions with the same number in
 * several topics go to the same member.
 */
import { type Assignor, byName, byRank } from "./assignor.js";

export const range: Assignor = function* ({ members, topics }) {
  const ranked = byRank(members);
  const target = new Map<string, (string | undefined)[]>();
  for (const [topic, count] of byName(topics)) {
    const wanting = ranked.filter((member) => member.topics.has(topic));
    const ownerOf = (partition: number) => wanting[Math.floor((partition * wanting.length) / count)]?.memberId;
    target.set(
      topic,
      Array.from({ length: count }, (_, partition) => ownerOf(partition)),
    );
    yield;
  }
  return target;
};
