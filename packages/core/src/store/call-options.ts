/** The options of appends and reads. */
import type { RecordInput } from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import type { AppendOptions } from "../engine/partition-log.js";

/** Options of `append`. */
export interface AppendRecordOptions extends AppendOptions {
  /** Default: the partition of the key; null keys are distributed evenly. */
  readonly partition?: number | undefined;
  /** A Date, or ms since the epoch. Default: now. */
  readonly timestamp?: number | Date | undefined;
  readonly headers?: RecordInput["headers"];
}

/** Records that a reader skipped because they were deleted, or lost to damage. */
export interface SkippedRecords {
  readonly partition: number;
  /** The reader's position. */
  readonly from: number;
  /** Offset at which reading continues. */
  readonly to: number;
}

/**
 * An offset, an end of the log, or the first record appended at or after a time (a Date, or ms
 * since the epoch).
 */
export type PositionInput = Extract<Position, number | string> | { readonly time: number | Date };

/** Options of `read`. */
export interface ReadOptions {
  /**
   * Default "earliest". If records are deleted while they are read, reading continues at the start
   * of the log. A given offset that does not exist is an error.
   */
  readonly from?: PositionInput | undefined;
  /**
   * Called when records are skipped: they were deleted before the reader reached them, or a repair
   * removed them as damaged. Reading continues after them, unless this throws: the iteration then
   * fails with the error. Default: no callback.
   */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
}

/** Options of `tail`. */
export interface TailOptions {
  /** Default "latest": only records that are appended later. */
  readonly from?: PositionInput | undefined;
  /** See {@link ReadOptions.onSkipped}. */
  readonly onSkipped?: ReadOptions["onSkipped"];
  /** Aborting it ends the iteration, which throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
