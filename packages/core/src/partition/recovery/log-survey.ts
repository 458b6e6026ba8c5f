/** The state of a partition's log as found when it is opened. */
import type { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import type { ProducerState } from "../../engine/append/producer-state.js";
import type { Checkpoint, Gap } from "../../files/checkpoint-file.js";
import type { Segment, SegmentHome } from "../../segment/segment.js";
import type { SparseIndex } from "../../segment/sparse-index.js";

export interface LogSurvey {
  /**
   * Base offset of the segment in the checkpoint: neither this segment nor later ones are removed
   * before a new checkpoint is written.
   */
  readonly checkpointSegment: number | undefined;
  readonly logStart: number;
  /** Offset after the last valid record. */
  readonly nextOffset: number;
  /** Every record below this offset is known to have been durable. */
  readonly durableOffset: number;
  /** The log extended at least to this offset; higher than `nextOffset` if it is damaged. */
  readonly expectedEnd: number;
  readonly lastAppendTime: number;
  readonly producers: ProducerState;
  readonly gaps: readonly Gap[];
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** The segment in which the log ends; undefined if there is none, or the log is damaged. */
  readonly active: SurveyedSegment | undefined;
  /**
   * Earlier segments with zeros after their batches: a crash occurred before their truncation was
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
  /** Size of the file, in bytes. */
  readonly size: number;
  /** Size of its valid part. */
  readonly soundBytes: number;
  /** Whether the rest is a torn tail, or preallocated zeros. */
  readonly isTorn: boolean;
  /** Finished segments that were examined: it is not known yet that they are completely durable. */
  readonly earlier: readonly Segment[];
  /** Later segments, which belong to the torn tail. */
  readonly later: readonly Segment[];
  /** Index of the valid part; undefined if that part was not examined. */
  readonly index: SparseIndex | undefined;
  /** Every record below this offset was durable before the crash, if there was one. */
  readonly durableOffset: number;
  /** Whether there was anything after the checkpoint. */
  readonly isBeyondCheckpoint: boolean;
}

export interface SurveyInput {
  readonly home: SegmentHome;
  readonly partition: number;
  /** By offset. */
  readonly segments: readonly Segment[];
  readonly checkpoint: Checkpoint | undefined;
}
