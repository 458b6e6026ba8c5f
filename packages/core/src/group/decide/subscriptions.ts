/**
 * Resolves subscriptions, which are topic names, and patterns in which `*` matches any characters.
 */
import type { Member } from "../state/group-state.js";
import type { Steps } from "../time/slices.js";

/**
 * Suffix of the topics in which groups park records that they cannot process. The pattern `*` must
 * not match them.
 */
const PARKED_SUFFIX = ".parked";

export function isWanted(subscriptions: readonly string[], topic: string): boolean {
  return subscriptions.some((subscription) =>
    subscription.includes("*")
      ? matchesFrom(subscription.split("*"), topic) && isParkedAlike(subscription, topic)
      : subscription === topic,
  );
}

/** A pattern that does not end in `.parked` does not match topics that do. */
function isParkedAlike(pattern: string, topic: string): boolean {
  return !topic.endsWith(PARKED_SUFFIX) || pattern.endsWith(PARKED_SUFFIX);
}

interface Resolved {
  readonly topics: ReadonlyMap<string, number>;
  readonly wanted: ReadonlySet<string>;
}

/**
 * Results by subscription list, which is the same object until the member changes its subscription.
 */
const known = new WeakMap<readonly string[], Resolved>();

/** Number of matches between two steps. */
const STEP_MATCHES = 500;

/**
 * Returns for each member the existing topics to which it subscribes. Members with equal
 * subscriptions share the result, which is recomputed only when the topics change.
 *
 * @param topics the same map as before if nothing has changed
 */
export function* resolveSubscriptions(
  members: Iterable<Member>,
  topics: ReadonlyMap<string, number>,
): Steps<ReadonlyMap<string, ReadonlySet<string>>> {
  const resolved = new Map<string, ReadonlySet<string>>();
  const alike = new Map<string, (readonly string[])[]>();
  for (const { memberId, topics: subscriptions } of members) {
    let answer = known.get(subscriptions);
    if (answer?.topics !== topics) {
      // A cheap key: lists with the same length and ends are nearly always equal.
      const key = `${subscriptions.length} ${subscriptions[0]} ${subscriptions.at(-1)}`;
      const candidates = alike.get(key) ?? [];
      const same = candidates.find((other) => isSame(other, subscriptions));
      const wanted = same === undefined ? yield* wantedOf(subscriptions, topics) : known.get(same)!.wanted;
      answer = { topics, wanted };
      known.set(subscriptions, answer);
      if (same === undefined) alike.set(key, [...candidates, subscriptions]);
      yield;
    }
    resolved.set(memberId, answer.wanted);
  }
  return resolved;
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((subscription, i) => subscription === b[i]);
}

function* wantedOf(subscriptions: readonly string[], topics: ReadonlyMap<string, number>): Steps<Set<string>> {
  const wanted = new Set<string>();
  let matches = 0;
  for (const subscription of subscriptions) {
    if (!subscription.includes("*")) {
      if (topics.has(subscription)) wanted.add(subscription);
      continue;
    }
    const pieces = subscription.split("*");
    for (const topic of topics.keys()) {
      if (++matches % STEP_MATCHES === 0) yield;
      if (!wanted.has(topic) && matchesFrom(pieces, topic) && isParkedAlike(subscription, topic)) {
        wanted.add(topic);
      }
    }
  }
  return wanted;
}

/**
 * Matches each piece at its first occurrence after the previous one. Unlike a regular expression,
 * this takes linear time for any pattern.
 */
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
