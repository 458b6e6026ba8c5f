/**
 * Prepares a partition's log for writing when it is opened after a crash: saves and truncates a
 * torn tail, and makes the valid part durable. If the disk does not allow that, the log accepts no
 * appends. A damaged log is not modified: it accepts no appends, and can be read up to the damage.
 */
import { StorageFailedError } from "@logstore/codec";
import { isDiskFull, isDiskTrouble } from "../../storage/disk-trouble.js";
import { attemptOf, reasonOf } from "../../storage/io-trouble.js";
import type { LogSurvey, SurveyedSegment, SurveyInput } from "./log-survey.js";
import { surveyLog } from "./survey-log.js";
import { cutTornTail, type TornTail, writeBack } from "./torn-tail.js";

export interface RecoveredLog extends LogSurvey {
  /** What was truncated from the end, if anything. */
  readonly tornTail: TornTail | undefined;
  /** Whether the log contains, or has lost, records that the checkpoint does not cover. */
  readonly isBeyondCheckpoint: boolean;
  /**
   * Why the log could not be prepared for writing: it can nevertheless be read, and records can be
   * deleted.
   */
  readonly failure: StorageFailedError | undefined;
}

export async function recoverLog(input: SurveyInput): Promise<RecoveredLog> {
  const survey = await surveyLog(input);
  const { active, damage } = survey;
  if (active === undefined || damage !== undefined) return asFound(survey);
  const { isBeyondCheckpoint } = active;
  try {
    const tornTail = await makeFit(input, survey, active);
    return {
      ...survey,
      tornTail,
      isBeyondCheckpoint: isBeyondCheckpoint || tornTail !== undefined,
      failure: undefined,
    };
  } catch (cause) {
    if (!isDiskFull(cause) && !isDiskTrouble(cause)) throw cause;
    active.segment.endsAt(active.soundBytes, active.index);
    return { ...asFound(survey), isBeyondCheckpoint, failure: recoveryFailed(input.partition, cause as Error) };
  }
}

/** For a log that accepts no appends or is empty: it is not modified. */
export function asFound(survey: LogSurvey): RecoveredLog {
  return { ...survey, tornTail: undefined, isBeyondCheckpoint: false, failure: undefined };
}

function recoveryFailed(partition: number, cause: Error): StorageFailedError {
  return new StorageFailedError(
    `partition ${partition} could not be recovered for appends (${reasonOf(cause)}): it can be read, and old records can be ` +
      "deleted; make room or see to the disk, then open the store again",
    { partition, file: attemptOf(cause)?.file },
    { cause },
  );
}

async function makeFit(input: SurveyInput, survey: LogSurvey, active: SurveyedSegment): Promise<TornTail | undefined> {
  const { storage, directory } = input.home;
  const { segment, size, soundBytes, isTorn, later, index } = active;
  const tornTail = isTorn || later.length > 0 ? await cutTornTail(input.home, input.partition, active) : undefined;
  if (!isTorn && soundBytes < size) await (await segment.file()).truncate(soundBytes); // zeros
  await makeDurable(survey, active);
  // The existing names become durable, too, especially that of the checkpoint: the process may have
  // been killed before it synced them.
  await storage.syncDirectory(directory);
  segment.becomeActive(soundBytes, index);
  return tornTail;
}

/**
 * The data read may be only in the operating system's cache; it must be durable before later
 * batches declare that it is.
 */
async function makeDurable({ nextOffset, zeroTails }: LogSurvey, active: SurveyedSegment): Promise<void> {
  const { segment, soundBytes, earlier, index, durableOffset } = active;
  for (const [i, finished] of earlier.entries()) {
    const file = await finished.file();
    const zeros = zeroTails.find((tail) => tail.segment === finished);
    if (zeros !== undefined) await file.truncate(zeros.soundBytes);
    const end = (earlier[i + 1] ?? segment).baseOffset;
    if (end > durableOffset) await writeBack(file, 0, await finished.visibleSize());
    await file.sync();
  }
  if (index === undefined) return;
  const file = await segment.file();
  if (durableOffset < nextOffset) await writeBack(file, index.positionOfOffset(durableOffset), soundBytes);
  await file.sync();
}
