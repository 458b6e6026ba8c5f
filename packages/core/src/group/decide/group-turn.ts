/** What comes to a group, and what a turn makes of it. */
import type { TopicPartition } from "@logstore/protocol";
import type { Target } from "../assignors/assignor.js";
import { assignmentCount, type GroupChange, type GroupState, type Member } from "../state/group-state.js";
import type { Joining } from "../state/limits.js";

export type GroupInput =
  | { readonly type: "join"; readonly memberId: string; readonly joining: Joining }
  /** `reason`: why it is out, where it did not leave. */
  | { readonly type: "gone"; readonly memberId: string; readonly reason?: string }
  | { readonly type: "subscribe"; readonly memberId: string; readonly topics: readonly string[] }
  | {
      readonly type: "revoked";
      readonly memberId: string;
      readonly memberEpoch: number;
      readonly partitions: readonly TopicPartition[];
    }
  /**
   * A topic is gone: what was committed of it is forgotten, and no commit for it counts any more,
   * even if it is made anew.
   */
  | { readonly type: "topicDeleted"; readonly topic: string }
  | { readonly type: "topicsChanged" };

export interface GroupTurn {
  /**
   * What is to be written down: nothing, one change, or several for a large group. Each leaves a
   * state in which no partition has two owners: what comes after it may be lost in a crash.
   */
  readonly changes: readonly GroupChange[];
  /** Members that are new or not what they were. */
  readonly members: readonly Member[];
  readonly removed: readonly string[];
  /** Of those that are told what they own now. */
  readonly epoch: number;
  readonly target: Target;
}

/** How many more partitions the group's members own after a turn; negative where they own fewer. */
export function assignmentGrowth({ members: before }: GroupState, { members, removed }: GroupTurn): number {
  let growth = 0;
  for (const memberId of removed) growth -= assignmentCount(before.get(memberId));
  for (const member of members) growth += assignmentCount(member) - assignmentCount(before.get(member.memberId));
  return growth;
}
