/** Determines where the check of a log starts, and whether the required files exist. */
import { CorruptPartitionError } from "@logstore/codec";
import { ProducerState } from "../../engine/append/producer-state.js";
import type { Checkpoint } from "../../files/checkpoint-file.js";
import { logFileName } from "../../files/file-names.js";
import { durableDamageAt } from "../read/damage.js";
import type { LogSurvey, SurveyInput } from "./log-survey.js";

export interface SurveyStart {
  /** Index of the first segment to check. */
  readonly first: number;
  /** Byte position in it. */
  readonly position: number;
  readonly nextOffset: number;
  /** Undefined if it does not match the files. */
  readonly checkpoint: Checkpoint | undefined;
  /** The error of reading that segment; undefined if there was none. */
  readonly error?: unknown;
}

/** Starts at the checkpoint, or at the log start if the checkpoint does not match the files. */
export async function surveyStart({ segments, checkpoint }: SurveyInput): Promise<SurveyStart> {
  const fromStart = { first: 0, position: 0, nextOffset: segments[0]!.baseOffset, checkpoint: undefined };
  const first = segments.findIndex((segment) => segment.baseOffset === checkpoint?.segment);
  const segment = segments[first];
  if (segment === undefined || checkpoint === undefined) return fromStart;
  try {
    if ((await segment.size()) < checkpoint.position) return fromStart;
  } catch (error) {
    return { first, position: 0, nextOffset: segment.baseOffset, checkpoint, error }; // everything before it is valid
  }
  return { first, position: checkpoint.position, nextOffset: checkpoint.recoveryPoint, checkpoint };
}

/** The first file of the log does not exist: normal for a new partition, damage for any other. */
export function withoutStart({ partition, segments, checkpoint }: SurveyInput, logStart: number): LogSurvey {
  const known = segments[0]?.name ?? (checkpoint && logFileName(checkpoint.segment));
  const reason = "the files that it begins with are missing";
  const damage =
    known === undefined
      ? undefined // a new partition: creating errors for ten thousand of them would take long
      : durableDamageAt(partition, known, 0, logStart, new CorruptPartitionError(reason));
  const producers = new ProducerState();
  const expectedEnd = Math.max(logStart, checkpoint?.recoveryPoint ?? 0, checkpoint?.expectedEnd ?? 0);
  const checkpointSegment = checkpoint?.segment;
  const nothing = { checkpointSegment, lastAppendTime: 0, gaps: [], active: undefined, zeroTails: [] };
  return { ...nothing, logStart, nextOffset: logStart, durableOffset: logStart, expectedEnd, producers, damage };
}

/**
 * The checkpoint's segment existed durably when it was written, and the last segment is never
 * removed.
 */
export function lostSegment({ segments, checkpoint }: SurveyInput): number | undefined {
  const isThere = segments.some(({ baseOffset }) => baseOffset === checkpoint?.segment);
  return isThere ? undefined : checkpoint?.segment;
}
