/**
 * Assignment of partitions to members. An assignor is a pure function: the same members, topics and
 * owners give the same result, in whatever order they are passed.
 */
import type { Steps } from "../time/slices.js";

/** A member to which partitions can be assigned. */
export interface AssignableMember {
  readonly memberId: string;
  /**
   * Members are sorted by rank, so that a static member keeps its place when it rejoins under
   * another id.
   */
  readonly rank: string;
  /** The existing topics to which the member subscribes. */
  readonly topics: ReadonlySet<string>;
}

/** Between whom an assignor shares out which partitions. */
export interface AssignorInput {
  readonly members: readonly AssignableMember[];
  /** The number of partitions of each topic to which any member subscribes. */
  readonly topics: ReadonlyMap<string, number>;
  /** The member to which a partition was assigned before, if any. */
  readonly current: (topic: string, partition: number) => string | undefined;
}

/** The assigned member by topic and partition; undefined if no member subscribes to the topic. */
export type Target = ReadonlyMap<string, readonly (string | undefined)[]>;

/** Runs in steps, because there may be many partitions. */
export type Assignor = (input: AssignorInput) => Steps<Target>;

/** Number of partitions between two steps. */
export const STEP_PARTITIONS = 500;

export function byRank(members: readonly AssignableMember[]): AssignableMember[] {
  return [...members].sort((a, b) => compare(a.rank, b.rank) || compare(a.memberId, b.memberId));
}

/** The topics sorted by name, with their number of partitions. */
export function byName(topics: ReadonlyMap<string, number>): [topic: string, partitions: number][] {
  return [...topics].sort(([a], [b]) => compare(a, b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
