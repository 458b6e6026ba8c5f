import type { PartitionCommit } from "@logstore/protocol";
import type { OwnedPartition } from "./owned-partition.js";

/** A commit of one partition that the group has not confirmed yet. */
export class PendingCommit {
  readonly commit: PartitionCommit;
  readonly #owned: OwnedPartition | undefined;
  readonly #resets: number | undefined;

  /** @param owned undefined where the partition is not assigned to this member */
  constructor(commit: PartitionCommit, owned: OwnedPartition | undefined) {
    this.commit = commit;
    this.#owned = owned;
    this.#resets = owned?.resets;
  }

  /** Whether the committed offset was reset meanwhile: this commit would undo the reset. */
  get isVoid(): boolean {
    return this.#owned?.resets !== this.#resets;
  }

  /** Called when the group has confirmed the commit. */
  made(): void {
    if (this.#owned === undefined || this.isVoid) return;
    const { offset } = this.commit;
    this.#owned.committed = Math.max(this.#owned.committed ?? 0, offset);
    this.#owned.processed = Math.max(this.#owned.processed ?? 0, offset);
  }
}
