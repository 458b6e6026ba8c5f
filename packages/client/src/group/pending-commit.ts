import type { PartitionCommit } from "@logstore/protocol";
import type { OwnedPartition } from "./owned-partition.js";

/** An offset on its way to the group. */
export class PendingCommit {
  readonly commit: PartitionCommit;
  readonly #owned: OwnedPartition | undefined;
  readonly #resets: number | undefined;

  /** @param owned undefined where the member does not know the partition: the group has the word */
  constructor(commit: PartitionCommit, owned: OwnedPartition | undefined) {
    this.commit = commit;
    this.#owned = owned;
    this.#resets = owned?.resets;
  }

  /** The group was set elsewhere meanwhile: made now, it would undo that. */
  get isVoid(): boolean {
    return this.#owned?.resets !== this.#resets;
  }

  /** The group is there, unless it was set elsewhere since. */
  made(): void {
    if (this.#owned === undefined || this.isVoid) return;
    const { offset } = this.commit;
    this.#owned.committed = Math.max(this.#owned.committed ?? 0, offset);
    this.#owned.processed = Math.max(this.#owned.processed ?? 0, offset);
  }
}
