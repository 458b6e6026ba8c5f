/**
 * Everybody keeps what they have, as far as the shares stay even: of members that want the same
 * topics, none has two partitions more than another. What is free goes to whoever has least; then
 * partitions move from those who have most, one by one.
 *
 * Where members want different topics, a partition may move by way of a third member: the shares
 * are evened out along the shortest path from one who has too much to one who has less, until there
 * is no such path. That gives the most even shares that there are (Harvey, Ladner, Lovász, Tamir:
 * Semi-matchings for bipartite graphs and load balancing, 2003).
 */
import type { Steps } from "../time/slices.js";
import { type AssignableMember, type Assignor, byName, byRank, STEP_PARTITIONS } from "./assignor.js";
import { Heap } from "./heap.js";
import { type Free, give, moveOne, type Share } from "./share.js";
import { evenOut, shareOut } from "./uneven-wants.js";

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

/** Everybody keeps what they had. Returns what is free: topics that few want first. */
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

// Members that all want the same.

function hasLess(a: Share, b: Share): boolean {
  return a.count < b.count || (a.count === b.count && a.place < b.place);
}

/** What is free goes to those who have least. */
function* shareOutAlike(free: Free, shares: readonly Share[]): Steps {
  const least = new Heap<Share>(hasLess);
  for (const share of shares) least.push(share);
  let given = 0;
  for (const [topic, partition] of free) {
    const { first } = least;
    if (first === undefined) return;
    if (!first.member.topics.has(topic)) continue; // nobody wants it
    give(first, topic, partition);
    least.sinkFirst();
    if (++given % STEP_PARTITIONS === 0) yield;
  }
}

/** From whoever has most to whoever has least, as long as one has two more than the other. */
function* evenOutAlike(shares: readonly Share[]): Steps {
  const least = new Heap<Share>(hasLess);
  const most = new Heap<Share>((a, b) => a.count > b.count || (a.count === b.count && a.place < b.place));
  const [fewest, greatest] = [Math.floor(average(shares)), Math.ceil(average(shares))];
  // Nobody is in both: who has more than a fair share never comes to have less, nor the reverse.
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
