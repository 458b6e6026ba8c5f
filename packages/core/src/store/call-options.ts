/** What may be said of one append or one read, and where an append went. */
import type { RecordInput } from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import type { AppendOptions } from "../engine/partition-log.js";

/** Options of `append`. */
export interface AppendRecordOptions extends AppendOptions {
  /** Default: by key, or evenly for null keys. */
  readonly partition?: number | undefined;
  /** A Date, or ms since the epoch. Default: now. */
  readonly timestamp?: number | Date | undefined;
  readonly headers?: RecordInput["headers"];
}

/**
 * Records that a reader was to get and that are not in the log any more: they were deleted, or lost
 * to damage.
 */
export interface SkippedRecords {
  readonly partition: number;
  /** Offset at which reading was to go on. */
  readonly from: number;
  /** Offset at which it goes on. */
  readonly to: number;
}

/**
 * An offset, an end of the log, or the first record appended at a time, ms since the epoch or a
 * Date, or later.
 */
export type PositionInput = Extract<Position, number | string> | { readonly time: number | Date };

/** Options of `read`. */
export interface ReadOptions {
  /**
   * Default "earliest". Where records are deleted while they are read, reading goes on at the log's
   * start; an offset that is not there to begin with is an error.
   */
  readonly from?: PositionInput | undefined;
  /**
   * Called when records are skipped, and reading goes on behind them: they were deleted before the
   * reader came to them, or lost to damage and cut out by a repair. What it throws ends the
   * iteration. Default: they are passed over.
   */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
}

/** Options of `tail`. */
export interface TailOptions {
  /** Default "latest": only what is appended from now on. */
  readonly from?: PositionInput | undefined;
  /** As that of {@link ReadOptions}. */
  readonly onSkipped?: ReadOptions["onSkipped"];
  /** Ends the iteration by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
