/** A partition's log, as readers see it. */
import type { BatchLimits } from "@logstore/codec";
import type { Gap } from "../../engine/partition-log.js";
import type { LogOffsets } from "../../engine/read/log-offsets.js";
import type { LogStoreHooks } from "../../hooks/hooks.js";
import type { SegmentList } from "../../segment/segment-list.js";
import type { Damage } from "./found-damage.js";
import type { PartitionTail } from "./tail-cache.js";

export interface ReadSource {
  readonly partition: number;
  readonly segments: SegmentList;
  readonly offsets: LogOffsets;
  /** Known gaps of lost offsets, which readers skip. */
  readonly gaps: readonly Gap[];
  /**
   * Damage found when the log was opened: readers cannot read beyond it, and the log accepts no
   * appends.
   */
  readonly damage: Damage | undefined;
  /** The newest batches, if they are kept in memory. */
  readonly tail: PartitionTail | undefined;
  readonly hooks: LogStoreHooks;
  readonly limits: BatchLimits;
  readonly isClosed: boolean;

  /** @throws the damage of the log, or why its writer can no longer be followed */
  checkEnd(): void;

  /** Updates the log's bounds if another process changes them. */
  refresh(): Promise<void> | undefined;

  /**
   * Records the error with which a read ends, if it is damage, so that it is reported from now on.
   * Returns the error.
   */
  noteDamage<E>(error: E): E;

  /** The records from `from` up to `to` have been read from disk. */
  wasRead(from: number, to: number): void;
}
