/** What a reader needs of a partition's log. */
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
  /** Offsets that were lost and are known to be: readers pass over them. */
  readonly gaps: readonly Gap[];
  /**
   * Where and why the log could not be read on when it was opened, if so: it ends there for
   * readers, and takes no appends.
   */
  readonly damage: Damage | undefined;
  /** The newest batches, where they are kept in memory. */
  readonly tail: PartitionTail | undefined;
  readonly hooks: LogStoreHooks;
  readonly limits: BatchLimits;
  readonly isClosed: boolean;

  /** Learns the log's bounds where another process moves them. */
  refresh(): Promise<void> | undefined;

  /**
   * Notes the error that a read ends with, where it is damage: others are told of it from now on.
   * Returns the error.
   */
  cameUpon<E>(error: E): E;

  /** What lies from `from` up to `to` could be read from the disk. */
  wasRead(from: number, to: number): void;
}
