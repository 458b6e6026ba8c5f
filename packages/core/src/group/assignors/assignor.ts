/**
 * How partitions are shared out. An assignor is a pure function: the same members, topics and
 * owners give the same answer, in whatever order they are told.
 */
import type { Steps } from "../time/slices.js";

export interface AssignableMember {
  readonly memberId: string;
  /**
   * Members are taken in this order, so that a static one has its place again when it comes back
   * under another id.
   */
  readonly rank: string;
  /** Topics that exist, and that it wants. */
  readonly topics: ReadonlySet<string>;
}

export interface AssignorInput {
  readonly members: readonly AssignableMember[];
  /** How many partitions each topic has that anybody wants. */
  readonly topics: ReadonlyMap<string, number>;
  /** Whom a partition was meant for before, if anybody. */
  readonly current: (topic: string, partition: number) => string | undefined;
}

/** By topic and partition: the member that it is meant for; undefined where nobody wants it. */
export type Target = ReadonlyMap<string, readonly (string | undefined)[]>;

/** In steps: there may be many partitions. */
export type Assignor = (input: AssignorInput) => Steps<Target>;

/** Partitions between two steps. */
export const STEP_PARTITIONS = 500;

export function byRank(members: readonly AssignableMember[]): AssignableMember[] {
  return [...members].sort((a, b) => compare(a.rank, b.rank) || compare(a.memberId, b.memberId));
}

/** Topics by name, and how many partitions each has. */
export function byName(topics: ReadonlyMap<string, number>): [topic: string, partitions: number][] {
  return [...topics].sort(([a], [b]) => compare(a, b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
