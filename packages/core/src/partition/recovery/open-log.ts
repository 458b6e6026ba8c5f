/** Finds a partition's files, and recovers its log. */
import { ProducerState } from "../../engine/append/producer-state.js";
import { type Checkpoint, readCheckpoint, startFilesIn } from "../../files/checkpoint-file.js";
import { baseOffsetsOf } from "../../files/file-names.js";
import type { Bounds } from "../../files/watermarks-file.js";
import { Segment, type SegmentHome } from "../../segment/segment.js";
import { TEMPORARY_SUFFIX } from "../../storage/atomic-file.js";
import { isDiskTrouble } from "../../storage/disk-trouble.js";
import { unreadableError } from "../read/damage.js";
import type { LogSurvey } from "./log-survey.js";
import { asFound, type RecoveredLog, recoverLog } from "./recovery.js";
import { surveyLog } from "./survey-log.js";

export interface OpenedLog {
  readonly segments: Segment[];
  readonly recovered: RecoveredLog;
  /** Names of the start files found. */
  readonly startFiles: readonly string[];
}

/**
 * A read error of the disk fails this partition, not the store. Records before the unreadable part
 * of the log remain available.
 *
 * @param lastPublished the bounds that were published when it was last open, if they are known
 */
export async function openLog(
  home: SegmentHome,
  partition: number,
  lastPublished: Bounds | undefined,
): Promise<OpenedLog> {
  let segments: Segment[] = [];
  try {
    const { storage, directory } = home;
    const names = (await storage.list(directory)) ?? [];
    for (const name of names) {
      if (name.endsWith(TEMPORARY_SUFFIX)) await storage.remove(`${directory}/${name}`);
    }
    const startFiles = startFilesIn(names);
    segments = baseOffsetsOf(names).map((baseOffset) => new Segment(home, baseOffset));
    const input = { home, partition, segments };
    let checkpoint: Checkpoint | undefined;
    try {
      checkpoint = names.length === 0 ? undefined : await readCheckpoint(storage, directory, names);
    } catch (cause) {
      if (!isDiskTrouble(cause)) throw cause;
      const survey = await surveyLog({ ...input, checkpoint: undefined });
      return { segments, startFiles, recovered: withoutCheckpoint(survey, partition, cause as Error, lastPublished) };
    }
    const recovered = await recoverLog({ ...input, checkpoint });
    const torn = recovered.active?.later.length ?? 0; // the last ones
    return { segments: segments.slice(0, segments.length - torn), startFiles, recovered };
  } catch (cause) {
    await Promise.allSettled(segments.map((segment) => segment.close())); // the caller gets the first error
    if (!isDiskTrouble(cause)) throw cause;
    const recovered = unreadable(unreadableError(partition, cause as Error), lastPublished);
    return { segments: [], startFiles: [], recovered };
  }
}

/**
 * The valid part can be read. The expected end of the log would be in the checkpoint, which cannot
 * be read.
 */
export function withoutCheckpoint(
  survey: LogSurvey,
  partition: number,
  cause: Error,
  lastPublished: Bounds | undefined,
): RecoveredLog {
  const { nextOffset, expectedEnd, logStart } = survey;
  return asFound({
    ...survey,
    logStart: Math.min(nextOffset, Math.max(logStart, lastPublished?.logStart ?? 0)),
    expectedEnd: Math.max(expectedEnd, lastPublished?.highWatermark ?? 0),
    damage: survey.damage ?? unreadableError(partition, cause),
    active: undefined,
  });
}

export function unreadable(damage: NonNullable<LogSurvey["damage"]>, lastPublished: Bounds | undefined): RecoveredLog {
  const logStart = lastPublished?.logStart ?? 0;
  return asFound({
    checkpointSegment: undefined,
    logStart,
    nextOffset: logStart,
    durableOffset: logStart,
    expectedEnd: Math.max(logStart, lastPublished?.highWatermark ?? 0),
    lastAppendTime: 0,
    producers: new ProducerState(),
    gaps: [],
    damage,
    active: undefined,
    zeroTails: [],
  });
}
