/** Where the checks of a log begin, and whether the files that they are to begin with are there. */
import { CorruptPartitionError } from "@logstore/codec";
import { ProducerState } from "../../engine/append/producer-state.js";
import type { Checkpoint } from "../../files/checkpoint-file.js";
import { logFileName } from "../../files/file-names.js";
import { durableDamageAt } from "../read/damage.js";
import type { LogSurvey, SurveyInput } from "./log-survey.js";

export interface SurveyStart {
  /** Index of the first segment that is checked. */
  readonly first: number;
  /** Byte in it. */
  readonly position: number;
  readonly nextOffset: number;
  /** Undefined where it does not fit the files that are there. */
  readonly checkpoint: Checkpoint | undefined;
  /** Why that segment cannot be read, if so. */
  readonly error?: unknown;
}

/** At the checkpoint, or at the log's start where the checkpoint does not fit the files. */
export async function surveyStart({ segments, checkpoint }: SurveyInput): Promise<SurveyStart> {
  const fromStart = { first: 0, position: 0, nextOffset: segments[0]!.baseOffset, checkpoint: undefined };
  const first = segments.findIndex((segment) => segment.baseOffset === checkpoint?.segment);
  const segment = segments[first];
  if (segment === undefined || checkpoint === undefined) return fromStart;
  try {
    if ((await segment.size()) < checkpoint.position) return fromStart;
  } catch (error) {
    return { first, position: 0, nextOffset: segment.baseOffset, checkpoint, error }; // what lies before it is sound
  }
  return { first, position: checkpoint.position, nextOffset: checkpoint.recoveryPoint, checkpoint };
}

/**
 * The file that a log begins with is not there: right for a new partition, damage for any other.
 */
export function withoutStart({ partition, segments, checkpoint }: SurveyInput, logStart: number): LogSurvey {
  const known = segments[0]?.name ?? (checkpoint && logFileName(checkpoint.segment));
  const reason = "the files that it begins with are missing";
  const damage =
    known === undefined
      ? undefined // a new partition: ten thousand errors to throw away would take long to make
      : durableDamageAt(partition, known, 0, logStart, new CorruptPartitionError(reason));
  const producers = new ProducerState();
  const expectedEnd = Math.max(logStart, checkpoint?.recoveryPoint ?? 0, checkpoint?.expectedEnd ?? 0);
  const checkpointSegment = checkpoint?.segment;
  const nothing = { checkpointSegment, lastAppendTime: 0, gaps: [], active: undefined, zeroTails: [] };
  return { ...nothing, logStart, nextOffset: logStart, durableOffset: logStart, expectedEnd, producers, damage };
}

/**
 * The checkpoint named its segment when that was durably there, and the last segment is never
 * removed.
 */
export function lostSegment({ segments, checkpoint }: SurveyInput): number | undefined {
  const isThere = segments.some(({ baseOffset }) => baseOffset === checkpoint?.segment);
  return isThere ? undefined : checkpoint?.segment;
}
