import type { Member } from "../state/group-state.js";

/** The most holdings and subscriptions in one change, so that none takes too long to encode. */
const MAX_PART_ENTRIES = 4000;

export function inParts(members: readonly Member[]): Member[][] {
  const parts: Member[][] = [];
  let entries = MAX_PART_ENTRIES;
  for (const member of members) {
    if (entries >= MAX_PART_ENTRIES) {
      parts.push([]);
      entries = 0;
    }
    parts.at(-1)!.push(member);
    entries += 1 + member.topics.length;
    for (const partitions of member.holdings.values()) entries += partitions.size;
  }
  return parts;
}
