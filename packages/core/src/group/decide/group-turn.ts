/** The inputs of a group, and the result of a turn. */
import type { TopicPartition } from "@logstore/protocol";
import type { Target } from "../assignors/assignor.js";
import { assignmentCount, type GroupChange, type GroupState, type Member } from "../state/group-state.js";
import type { Joining } from "../state/limits.js";

export type GroupInput =
  | { readonly type: "join"; readonly memberId: string; readonly joining: Joining }
  /** `reason`: why the member is removed; undefined if it left. */
  | { readonly type: "gone"; readonly memberId: string; readonly reason?: string }
  | { readonly type: "subscribe"; readonly memberId: string; readonly topics: readonly string[] }
  | {
      readonly type: "revoked";
      readonly memberId: string;
      readonly memberEpoch: number;
      readonly partitions: readonly TopicPartition[];
    }
  /**
   * A topic was deleted: its committed offsets are dropped, and commits for it no longer count,
   * even if it is recreated.
   */
  | { readonly type: "topicDeleted"; readonly topic: string }
  | { readonly type: "topicsChanged" };

export interface GroupTurn {
  /**
   * The changes to write: none, one, or several for a large group. After each of them no partition
   * has two owners, because a crash may lose the following ones.
   */
  readonly changes: readonly GroupChange[];
  /** Members that are new or changed. */
  readonly members: readonly Member[];
  readonly removed: readonly string[];
  /** The epoch of the members that are told their new assignment. */
  readonly epoch: number;
  readonly target: Target;
}

/** The change in the number of partitions that the group's members own; may be negative. */
export function assignmentGrowth({ members: before }: GroupState, { members, removed }: GroupTurn): number {
  let growth = 0;
  for (const memberId of removed) growth -= assignmentCount(before.get(memberId));
  for (const member of members) growth += assignmentCount(member) - assignmentCount(before.get(member.memberId));
  return growth;
}
