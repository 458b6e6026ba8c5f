/** The part of the sticky assignor for members that want different topics. */
import type { Steps } from "../time/slices.js";
import { type Free, give, moveOne, type Share } from "./share.js";

export type Wanting = ReadonlyMap<string, readonly Share[]>;

/** What is free goes to those who have least, topics that few want first. */
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

/** Always from those who have most: nobody gives up what they would need again. */
export function* evenOut(shares: readonly Share[], wanting: Wanting): Steps {
  const levels = new Levels(shares);
  let hasMoved = false;
  for (;;) {
    const most = levels.most();
    if (most.length === 0) {
      if (!hasMoved) return;
      // Who was stuck may not be any more.
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
 * Shares by how many partitions they have: most moves then cost the same, however many members
 * there are.
 */
class Levels {
  readonly #byCount: Set<Share>[] = [];

  constructor(shares: readonly Share[]) {
    for (const share of shares) this.#level(share.count).add(share);
  }

  /** Those that have most, and at least two, of those that are not stuck. */
  most(): Share[] {
    for (let count = this.#byCount.length - 1; count >= 2; count--) {
      const most = [...this.#level(count)].filter(({ isStuck }) => !isStuck);
      if (most.length > 0) return most;
    }
    return [];
  }

  /** Whoever has least, and two less than `from`, of those that can take something of it. */
  next(from: Share): Share | undefined {
    for (let count = 0; count <= from.count - 2; count++) {
      for (const other of this.#level(count)) if (canTake(from, other)) return other;
    }
    return undefined;
  }

  /** One partition went from the one to the other. */
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
 * From one that has most to one that can take of it. Where there is nobody for a share, there will
 * not be until it has other partitions: nobody comes to have two less than those who have most.
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
 * Members of whom each can take something of the one before, from one of `most` to one that has two
 * less: as few as there can be, and of the last ones the one that has least.
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
