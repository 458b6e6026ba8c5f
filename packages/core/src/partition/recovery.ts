/**
 * Makes a partition's log fit to be written to, when it is opened after a crash: a torn tail is saved aside and cut, and what is
 * sound is made durable. A damaged log is left as it is: it takes no appends, and serves what lies before the damage.
 */
import { type LogSurvey, type SurveyInput, surveyLog } from "./survey-log.js";
import { cutTornTail, type TornTail, writeBack } from "./torn-tail.js";

export interface RecoveredLog extends LogSurvey {
  /** What was cut from the end, where something was. */
  readonly tornTail: TornTail | undefined;
}

export async function recoverLog(input: SurveyInput): Promise<RecoveredLog> {
  const survey = await surveyLog(input);
  const { active, damage } = survey;
  if (active === undefined || damage !== undefined) return { ...survey, tornTail: undefined };
  const { home, partition } = input;
  const { segment, size, soundBytes, isTorn, index, durableOffset, isBeyondCheckpoint } = active;
  const tornTail = isTorn ? await cutTornTail(home, partition, segment, soundBytes, size) : undefined;
  if (!isTorn && soundBytes < size) await (await segment.file()).truncate(soundBytes);
  if (index !== undefined && soundBytes > 0) {
    const file = await segment.file();
    if (durableOffset < survey.nextOffset) await writeBack(file, index.positionOfOffset(durableOffset), soundBytes);
    // What was read may be in the operating system's hands only: make it what later batches will say it is.
    await file.sync();
  }
  // So may its name be, and the checkpoint's.
  if (isBeyondCheckpoint || soundBytes === 0) await home.storage.syncDirectory(home.directory);
  segment.becomeActive(soundBytes, index);
  return { ...survey, tornTail };
}
