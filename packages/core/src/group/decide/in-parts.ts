import type { Member } from "../state/group-state.js";

/**
 * What a change holds at most, of holdings and subscriptions: so that none takes long to write
 * down.
 */
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
