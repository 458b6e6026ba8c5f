/** Which topics members want: names, and patterns in which `*` stands for anything. */
import type { Member } from "./group-state.js";

/** Where a group parks records that it cannot process. Who wants everything does not want those. */
const PARKED_SUFFIX = ".parked";

/** Of each member, the topics that it wants and that exist. Members that say the same share the answer. */
export function resolveSubscriptions(
  members: Iterable<Member>,
  topics: ReadonlyMap<string, number>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const resolved = new Map<string, ReadonlySet<string>>();
  const bySubscription = new Map<string, ReadonlySet<string>>();
  for (const member of members) {
    const subscription = member.topics.join(",");
    let wanted = bySubscription.get(subscription);
    if (wanted === undefined) {
      wanted = wantedOf(member.topics, topics);
      bySubscription.set(subscription, wanted);
    }
    resolved.set(member.memberId, wanted);
  }
  return resolved;
}

function wantedOf(subscriptions: readonly string[], topics: ReadonlyMap<string, number>): Set<string> {
  const wanted = new Set<string>();
  for (const subscription of subscriptions) {
    if (!subscription.includes("*")) {
      if (topics.has(subscription)) wanted.add(subscription);
      continue;
    }
    for (const topic of topics.keys()) if (matches(subscription, topic)) wanted.add(topic);
  }
  return wanted;
}

function matches(pattern: string, topic: string): boolean {
  if (topic.endsWith(PARKED_SUFFIX) && !pattern.endsWith(PARKED_SUFFIX)) return false;
  return matchesFrom(pattern.split("*"), topic);
}

/** Each piece where it comes first behind the one before it; no expression that could take long over a hostile pattern. */
function matchesFrom(pieces: readonly string[], topic: string): boolean {
  const last = pieces.at(-1)!;
  if (!topic.startsWith(pieces[0]!) || topic.length < pieces[0]!.length + last.length || !topic.endsWith(last))
    return false;
  let at = pieces[0]!.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = topic.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= topic.length - last.length;
}
