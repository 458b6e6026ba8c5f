/**
 * Everybody keeps what they have, as far as the shares stay even: of members that want the same topics, none has two partitions
 * more than another. What is free goes to whoever has least; then partitions move from those who have most, one by one.
 *
 * Where members want different topics, a partition may move by way of a third member: the shares are evened out along the
 * shortest path from one who has too much to one who has less, until there is no such path. That gives the most even shares that
 * there are (Harvey, Ladner, Lovász, Tamir: Semi-matchings for bipartite graphs and load balancing, 2003).
 */
import type { Steps } from "../slices.js";
import { type AssignableMember, type Assignor, byName, byRank, STEP_PARTITIONS } from "./assignor.js";
import { Heap } from "./heap.js";

/** What a member has so far. */
interface Share {
  readonly member: AssignableMember;
  /** Among all members. */
  readonly place: number;
  /** By topic: what it keeps first, then what came. */
  readonly partitions: Map<string, number[]>;
  count: number;
  /** Nobody was found who could take anything of it. */
  isStuck: boolean;
}

export const sticky: Assignor = function* (input) {
  const topics = byName(input.topics);
  const shares = byRank(input.members).map((member, place): Share => {
    return { member, place, partitions: new Map(), count: 0, isStuck: false };
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

type Wanting = ReadonlyMap<string, readonly Share[]>;
type Free = readonly (readonly [topic: string, partition: number])[];

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

// Members that want different topics.

/** What is free goes to those who have least, topics that few want first. */
function* shareOut(free: Free, wanting: Wanting): Steps {
  let looks = 0;
  for (const [topic, partition] of free) {
    let least: Share | undefined;
    const candidates = wanting.get(topic)!;
    for (const share of candidates) if (least === undefined || share.count < least.count) least = share;
    if (least !== undefined) give(least, topic, partition);
    looks += candidates.length;
    if (looks < 10_000) continue;
    looks = 0;
    yield;
  }
}

function give(share: Share, topic: string, partition: number): void {
  const some = share.partitions.get(topic);
  if (some === undefined) share.partitions.set(topic, [partition]);
  else some.push(partition);
  share.count++;
}

/** Always from those who have most: nobody gives up what they would need again. */
function* evenOut(shares: readonly Share[], wanting: Wanting): Steps {
  let hasMoved = false;
  for (;;) {
    let most: Share[] = [];
    for (const share of shares) {
      if (share.isStuck || share.count < (most[0]?.count ?? 2)) continue;
      if (share.count > (most[0]?.count ?? 0)) most = [];
      most.push(share);
    }
    if (most.length === 0) {
      if (!hasMoved) return;
      // Who was stuck may not be any more.
      for (const share of shares) share.isStuck = false;
      hasMoved = false;
      continue;
    }
    const path = yield* pathToLess(most, shares.length, wanting);
    if (path === undefined) for (const share of most) share.isStuck = true;
    else {
      for (let i = path.length - 1; i > 0; i--) moveOne(path[i - 1]!, path[i]!);
      hasMoved = true;
    }
  }
}

/**
 * Members of whom each can take something of the one before, from one of `most` to one that has two less: as few as there can be,
 * and of the last ones the one that has least.
 */
function* pathToLess(
  most: readonly Share[],
  memberCount: number,
  wanting: Wanting,
): Steps<readonly Share[] | undefined> {
  const enough = most[0]!.count - 2;
  const before = new Map<Share, Share | undefined>(most.map((share) => [share, undefined]));
  const seenTopics = new Set<string>();
  let level = most;
  while (level.length > 0) {
    const next: Share[] = [];
    let least: Share | undefined;
    for (const share of level) {
      yield;
      if (before.size === memberCount) break;
      for (const [topic, some] of share.partitions) {
        if (some.length === 0 || seenTopics.has(topic)) continue;
        seenTopics.add(topic);
        for (const other of wanting.get(topic)!) {
          if (before.has(other)) continue;
          before.set(other, share);
          next.push(other);
          if (other.count <= enough && other.count < (least?.count ?? Number.POSITIVE_INFINITY)) least = other;
        }
      }
    }
    if (least !== undefined) return pathOf(least, before);
    level = next;
  }
  return undefined;
}

function pathOf(to: Share, before: ReadonlyMap<Share, Share | undefined>): Share[] {
  const path: Share[] = [];
  for (let share: Share | undefined = to; share !== undefined; share = before.get(share)) path.unshift(share);
  return path;
}

/** Of the topic of which the one has most more than the other, what came last. */
function moveOne(from: Share, to: Share): void {
  let topic = "";
  let most = Number.NEGATIVE_INFINITY;
  for (const [name, some] of from.partitions) {
    const more = some.length - (to.partitions.get(name)?.length ?? 0);
    if (some.length === 0 || !to.member.topics.has(name) || more <= most) continue;
    topic = name;
    most = more;
  }
  give(to, topic, from.partitions.get(topic)!.pop()!);
  from.count--;
}
