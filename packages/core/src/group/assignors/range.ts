/** Each topic by itself, in ranges: partitions of the same number in several topics go to the same member. */
import { type Assignor, byName, byRank } from "./assignor.js";

export const range: Assignor = ({ members, topics }) => {
  const ranked = byRank(members);
  return new Map(
    byName(topics).map(([topic, count]) => {
      const wanting = ranked.filter((member) => member.topics.has(topic));
      const owners = Array.from({ length: count }, (_, partition) => {
        return wanting[Math.floor((partition * wanting.length) / count)]?.memberId;
      });
      return [topic, owners];
    }),
  );
};
