/** The members of a group while a turn changes them. */
import type { AssignorName } from "@logstore/protocol";
import type { GroupState, Member } from "../state/group-state.js";

export class TurnDraft {
  readonly state: GroupState;
  /** The epoch of changed members. */
  readonly epoch: number;
  readonly members: Map<string, Member>;
  /** Ids of members that are new or changed. */
  readonly changed = new Set<string>();
  /** Ids of members that are removed from the group. */
  readonly removed: string[] = [];
  /** Deleted topics, whose commits are dropped. */
  readonly forgotten: string[] = [];
  /** The new id of each static member that rejoined under another id. */
  readonly successors = new Map<string, string>();
  /** Members that gain partitions, in their state before. */
  readonly beforeGains: Member[] = [];
  assignor: AssignorName;
  /** Whether the target has to be recomputed. */
  isStale: boolean;
  /** Ids of static members by instance id; built on first use. */
  #instances: Map<string, string> | undefined;

  constructor(state: GroupState) {
    this.state = state;
    this.epoch = state.epoch + 1;
    this.members = new Map(state.members);
    this.assignor = state.assignor;
    this.isStale = state.target === undefined;
  }

  memberOfInstance(instanceId: string | undefined): Member | undefined {
    if (instanceId === undefined) return undefined;
    if (this.#instances === undefined) {
      this.#instances = new Map();
      for (const member of this.members.values()) {
        if (member.instanceId !== undefined) this.#instances.set(member.instanceId, member.memberId);
      }
    }
    return this.members.get(this.#instances.get(instanceId) ?? "");
  }

  put(member: Member): void {
    const { memberId, instanceId } = member;
    this.members.set(memberId, member);
    if (instanceId !== undefined) this.#instances?.set(instanceId, memberId);
    this.changed.add(memberId);
  }

  /** Adds a member that will be sent its assignment under the new epoch. */
  tell(member: Member): void {
    this.put({ ...member, epoch: this.epoch });
  }

  /** @param successor the id of the member that takes its place, if any */
  remove(memberId: string, successor?: string): void {
    if (!this.members.delete(memberId)) return;
    if (successor === undefined) this.isStale = true;
    else this.successors.set(memberId, successor);
    this.changed.delete(memberId);
    if (this.state.members.has(memberId)) this.removed.push(memberId);
  }
}
