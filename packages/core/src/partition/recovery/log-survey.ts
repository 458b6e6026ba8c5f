/** What opening a partition finds out about its log. */
import type { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import type { ProducerState } from "../../engine/append/producer-state.js";
import type { Checkpoint, Gap } from "../../files/checkpoint-file.js";
import type { Segment, SegmentHome } from "../../segment/segment.js";
import type { SparseIndex } from "../../segment/sparse-index.js";

export interface LogSurvey {
  /**
   * Base offset of the segment that the checkpoint names: neither it nor what follows is removed
   * before a new one is written.
   */
  readonly checkpointSegment: number | undefined;
  readonly logStart: number;
  /** One past the last sound record. */
  readonly nextOffset: number;
  /** Every offset below this one is known to have been durable once. */
  readonly durableOffset: number;
  /** The log went on to here at least: beyond `nextOffset` where it is damaged. */
  readonly expectedEnd: number;
  readonly lastAppendTime: number;
  readonly producers: ProducerState;
  readonly gaps: readonly Gap[];
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** The segment in which the log ends; undefined where there is none, or the log is damaged. */
  readonly active: SurveyedSegment | undefined;
  /**
   * Segments before it with zeros behind their batches: a crash came before the cutting of them was
   * durable.
   */
  readonly zeroTails: readonly ZeroTail[];
}

export interface ZeroTail {
  readonly segment: Segment;
  readonly soundBytes: number;
}

export interface SurveyedSegment {
  readonly segment: Segment;
  /** Bytes in the file. */
  readonly size: number;
  /** How many of them are sound. */
  readonly soundBytes: number;
  /** Whether what lies behind is a torn tail, or zeros that were written ahead. */
  readonly isTorn: boolean;
  /**
   * Finished segments that were looked at: nothing says yet that they are durable to their ends.
   */
  readonly earlier: readonly Segment[];
  /** Segments behind it: torn off with its tail. */
  readonly later: readonly Segment[];
  /** Of the sound bytes, where they were looked at. */
  readonly index: SparseIndex | undefined;
  /** Every offset below this one was durable before the crash, if there was one. */
  readonly durableOffset: number;
  /** Whether there was anything behind the checkpoint. */
  readonly isBeyondCheckpoint: boolean;
}

export interface SurveyInput {
  readonly home: SegmentHome;
  readonly partition: number;
  /** By offset. */
  readonly segments: readonly Segment[];
  readonly checkpoint: Checkpoint | undefined;
}
