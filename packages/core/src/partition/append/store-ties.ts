/** What the writer of a partition gets from its store and from recovery. */
import type { ProducerState } from "../../engine/append/producer-state.js";
import type { LogStoreHooks } from "../../hooks/hooks.js";

export interface WriterOptions {
  readonly segmentBytes: number;
  readonly hooks: LogStoreHooks;
}

/** The state from which the writer continues, as found when the log was opened. */
export interface WriterStart {
  readonly producers: ProducerState;
  /** Append time of the last batch, in ms since the epoch; 0 if there is none. */
  readonly lastAppendTime: number;
  /** Base offset of the segment in the checkpoint on disk, if there is one. */
  readonly checkpointSegment: number | undefined;
  /** Whether the log contains, or has lost, records that the checkpoint does not cover. */
  readonly isBeyondCheckpoint: boolean;
}

/**
 * Called with a partition's bounds before appends are acknowledged. Returns undefined if they are
 * published.
 */
export type PublishBounds = (partition: number, logStart: number, highWatermark: number) => Promise<void> | undefined;

/** The connections of the partitions' writers to their store, which all of them share. */
export interface StoreTies {
  readonly publishBounds: PublishBounds;
  /**
   * Throws if the store's directory no longer belongs to this process. A check that passed is not
   * repeated within `maxAgeMs`, by default 0.
   */
  readonly checkOwner: (maxAgeMs?: number) => void;
  /** Called when the clock is behind a partition's last append; the report may be suppressed. */
  readonly clockIsBehind: (partition: number, now: number, lastAppendTime: number) => void;
}
