/** What groups hold, in the units of their limits. */

export interface GroupUsage {
  groups: number;
  members: number;
  /** Topics and patterns, of all members. */
  subscriptions: number;
  /** Partitions that members own, one of two groups twice. */
  assignments: number;
  /** Of commits: 128 for each, and its metadata. */
  commitBytes: number;
}

export const groupUsageKinds = ["groups", "members", "subscriptions", "assignments", "commitBytes"] as const;

const COMMIT_BYTES = 128;

/** 0 where there is none. */
export function bytesOfCommit(commit: { readonly metadata: string } | undefined): number {
  if (commit === undefined) return 0;
  return COMMIT_BYTES + (commit.metadata === "" ? 0 : Buffer.byteLength(commit.metadata));
}
