/** What groups use, in the units of their limits. */

export interface GroupUsage {
  groups: number;
  members: number;
  /** Topics and patterns in the subscriptions of all members. */
  subscriptions: number;
  /** Partitions that members own; one that two groups read counts twice. */
  assignments: number;
  /** Size of commits: 128 bytes for each, plus its metadata. */
  commitBytes: number;
}

export const groupUsageKinds = ["groups", "members", "subscriptions", "assignments", "commitBytes"] as const;

const COMMIT_BYTES = 128;

/** 0 if there is no commit. */
export function bytesOfCommit(commit: { readonly metadata: string } | undefined): number {
  if (commit === undefined) return 0;
  return COMMIT_BYTES + (commit.metadata === "" ? 0 : Buffer.byteLength(commit.metadata));
}
