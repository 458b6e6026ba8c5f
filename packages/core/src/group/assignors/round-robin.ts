/** All partitions in a row, dealt to one member after another; who does not want one is passed over. */
import { type Assignor, byName, byRank } from "./assignor.js";

export const roundRobin: Assignor = ({ members, topics }) => {
  const ranked = byRank(members);
  let next = 0;
  return new Map(
    byName(topics).map(([topic, count]) => {
      const owners = Array.from({ length: count }, () => {
        for (let i = 0; i < ranked.length; i++) {
          const member = ranked[(next + i) % ranked.length]!;
          if (!member.topics.has(topic)) continue;
          next = (next + i + 1) % ranked.length;
          return member.memberId;
        }
        return undefined;
      });
      return [topic, owners];
    }),
  );
};
