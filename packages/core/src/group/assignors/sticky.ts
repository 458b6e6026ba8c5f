/**
 * Members keep their partitions as long as the assignment stays even: the numbers of partitions of
 * members with the same subscription differ by one at most. Free partitions go to the member with
 * the fewest; then partitions move one by one from the members with the most.
 *
 * If subscriptions differ, a partition may move through a third member: partitions are passed on
 * along the shortest path from a member with too many to one with fewer, until there is no such
 * path. This gives the most even assignment possible (Harvey, Ladner, Lovász, Tamir: Semi-matchings
 * for bipartite graphs and load balancing, 2003).
 */
import type { Steps } from "../time/slices.js";
import { type AssignableMember, type Assignor, byName, byRank, STEP_PARTITIONS } from "./assignor.js";
import { Heap } from "./heap.js";
import { type Free, give, moveOne, type Share } from "./share.js";
import { evenOut, shareOut } from "./uneven-wants.js";

/** The assignor that moves only the partitions that must move for an even assignment. */
export const sticky: Assignor = function* (input) {
  const topics = byName(input.topics);
  const shares = byRank(input.members).map((member, place): Share => {
    return { member, place, partitions: new Map(), count: 0, isStuck: false, hasNoNext: false };
  });
  const free = yield* keepCurrent(topics, shares, input.current);
  if (wantTheSame(input.members)) {
    yield* shareOutAlike(free, shares);
    yield* evenOutAlike(shares);
  } else {
    const wanting = new Map(topics.map(([topic]) => [topic, shares.filter(({ member }) => member.topics.has(topic))]));
    yield* shareOut(free, wanting);
    yield* evenOut(shares, wanting);
  }
  return yield* targetOf(topics, shares);
};

function* targetOf(topics: readonly [topic: string, partitions: number][], shares: readonly Share[]) {
  const target = new Map<string, (string | undefined)[]>();
  for (const [topic, count] of topics) target.set(topic, new Array(count).fill(undefined));
  for (const { member, partitions } of shares) {
    for (const [topic, some] of partitions) {
      const owners = target.get(topic)!;
      for (const partition of some) owners[partition] = member.memberId;
    }
    yield;
  }
  return target;
}

function wantTheSame(members: readonly AssignableMember[]): boolean {
  const [first] = members;
  return members.every(
    ({ topics }) => topics === first!.topics || (topics.size === first!.topics.size && isWithin(topics, first!.topics)),
  );
}

function isWithin(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  for (const each of some) if (!all.has(each)) return false;
  return true;
}

/**
 * Members keep their partitions. Returns the free ones, topics with the fewest subscribers first.
 */
function* keepCurrent(
  topics: readonly [topic: string, partitions: number][],
  shares: readonly Share[],
  current: (topic: string, partition: number) => string | undefined,
): Steps<Free> {
  const byId = new Map(shares.map((share) => [share.member.memberId, share]));
  const free: [topic: string, partition: number][] = [];
  const wantedBy = new Map<string, number>();
  for (const { member } of shares) {
    for (const topic of member.topics) wantedBy.set(topic, (wantedBy.get(topic) ?? 0) + 1);
    yield;
  }
  const fewFirst = [...topics].sort(([a], [b]) => wantedBy.get(a)! - wantedBy.get(b)!);
  for (const [topic, count] of fewFirst) {
    for (let partition = 0; partition < count; partition++) {
      const keeper = byId.get(current(topic, partition) ?? "");
      if (keeper?.member.topics.has(topic)) give(keeper, topic, partition);
      else free.push([topic, partition]);
      if (partition % STEP_PARTITIONS === 0) yield;
    }
  }
  return free;
}

// For members that all have the same subscription.

function hasLess(a: Share, b: Share): boolean {
  return a.count < b.count || (a.count === b.count && a.place < b.place);
}

/** Assigns free partitions to the members with the fewest. */
function* shareOutAlike(free: Free, shares: readonly Share[]): Steps {
  const least = new Heap<Share>(hasLess);
  for (const share of shares) least.push(share);
  let given = 0;
  for (const [topic, partition] of free) {
    const { first } = least;
    if (first === undefined) return;
    if (!first.member.topics.has(topic)) continue; // no member subscribes to it
    give(first, topic, partition);
    least.sinkFirst();
    if (++given % STEP_PARTITIONS === 0) yield;
  }
}

/**
 * Moves partitions from the member with the most to the one with the fewest, as long as they differ
 * by two or more.
 */
function* evenOutAlike(shares: readonly Share[]): Steps {
  const least = new Heap<Share>(hasLess);
  const most = new Heap<Share>((a, b) => a.count > b.count || (a.count === b.count && a.place < b.place));
  const [fewest, greatest] = [Math.floor(average(shares)), Math.ceil(average(shares))];
  // A member is in only one of the heaps: one that is above a fair share never gets below it, and
  // vice versa.
  for (const share of shares) {
    if (share.count >= greatest) most.push(share);
    if (share.count <= fewest && share.count < greatest) least.push(share);
  }
  let moves = 0;
  for (;;) {
    const [from, to] = [most.first, least.first];
    if (from === undefined || to === undefined || from.count - to.count < 2) return;
    moveOne(from, to);
    most.sinkFirst();
    least.sinkFirst();
    if (++moves % 50 === 0) yield;
  }
}

function average(shares: readonly Share[]): number {
  let total = 0;
  for (const { count } of shares) total += count;
  return total / shares.length;
}
