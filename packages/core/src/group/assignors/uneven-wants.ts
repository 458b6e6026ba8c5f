/** The part of the sticky assignor for members with different subscriptions. */
import type { Steps } from "../time/slices.js";
import { type Free, give, moveOne, type Share } from "./share.js";

export type Wanting = ReadonlyMap<string, readonly Share[]>;

/**
 * Assigns free partitions to the members with the fewest, topics with the fewest subscribers first.
 */
export function* shareOut(free: Free, wanting: Wanting): Steps {
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

/**
 * Always takes from the members with the most, so that no member gives up what it would have to get
 * back.
 */
export function* evenOut(shares: readonly Share[], wanting: Wanting): Steps {
  const levels = new Levels(shares);
  let hasMoved = false;
  for (;;) {
    const most = levels.most();
    if (most.length === 0) {
      if (!hasMoved) return;
      // A stuck member may have a path now.
      for (const share of shares) share.isStuck = false;
      hasMoved = false;
      continue;
    }
    yield;
    const path = pathToNext(most, levels) ?? (yield* pathToLess(most, shares.length, wanting));
    if (path === undefined) for (const share of most) share.isStuck = true;
    else {
      for (let i = path.length - 1; i > 0; i--) moveOne(path[i - 1]!, path[i]!);
      for (const share of path.slice(1, -1)) share.hasNoNext = false; // it has other partitions now
      levels.moved(path[0]!, path.at(-1)!);
      hasMoved = true;
    }
  }
}

/**
 * Members by their number of partitions, so that most moves have the same cost, however many
 * members there are.
 */
class Levels {
  readonly #byCount: Set<Share>[] = [];

  constructor(shares: readonly Share[]) {
    for (const share of shares) this.#level(share.count).add(share);
  }

  /** The members with the most partitions, and at least two, that are not stuck. */
  most(): Share[] {
    for (let count = this.#byCount.length - 1; count >= 2; count--) {
      const most = [...this.#level(count)].filter(({ isStuck }) => !isStuck);
      if (most.length > 0) return most;
    }
    return [];
  }

  /**
   * Of the members that can take a partition of `from`, the one with the fewest, if it has at least
   * two less.
   */
  next(from: Share): Share | undefined {
    for (let count = 0; count <= from.count - 2; count++) {
      for (const other of this.#level(count)) if (canTake(from, other)) return other;
    }
    return undefined;
  }

  /** Updates the levels after one partition moved. */
  moved(from: Share, to: Share): void {
    this.#level(from.count + 1).delete(from);
    this.#level(from.count).add(from);
    this.#level(to.count - 1).delete(to);
    this.#level(to.count).add(to);
  }

  #level(count: number): Set<Share> {
    while (this.#byCount.length <= count) this.#byCount.push(new Set());
    return this.#byCount[count]!;
  }
}

function canTake(from: Share, to: Share): boolean {
  for (const topic of from.partitions.keys()) if (to.member.topics.has(topic)) return true;
  return false;
}

/**
 * A direct path from a member with the most partitions. If a member has no successor now, it has
 * none until its own partitions change, because no member gets two less than those with the most.
 */
function pathToNext(most: readonly Share[], levels: Levels): readonly Share[] | undefined {
  for (const share of most) {
    const next = share.hasNoNext ? undefined : levels.next(share);
    if (next !== undefined) return [share, next];
    share.hasNoNext = true;
  }
  return undefined;
}

/**
 * A shortest path of members, each of which can take a partition of the previous one, from one of
 * `most` to one that has at least two less; of several possible ends, the one with the fewest.
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
      for (const topic of share.partitions.keys()) {
        if (seenTopics.has(topic)) continue;
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
