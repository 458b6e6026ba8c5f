/**
 * Makes a partition's log fit to be written to, when it is opened after a crash: a torn tail is saved aside and cut, and what is
 * sound is made durable. A damaged log is left as it is: it takes no appends, and serves what lies before the damage.
 */
import type { Segment } from "../segment/segment.js";
import { type LogSurvey, type SurveyedSegment, type SurveyInput, surveyLog } from "./survey-log.js";
import { cutTornTail, type TornTail, writeBack } from "./torn-tail.js";

export interface RecoveredLog extends LogSurvey {
  /** What was cut from the end, where something was. */
  readonly tornTail: TornTail | undefined;
}

export async function recoverLog(input: SurveyInput): Promise<RecoveredLog> {
  const survey = await surveyLog(input);
  const { active, damage } = survey;
  if (active === undefined || damage !== undefined) return { ...survey, tornTail: undefined };
  const { storage, directory } = input.home;
  const { segment, size, soundBytes, isTorn, later, index, isBeyondCheckpoint } = active;
  const tornTail = isTorn || later.length > 0 ? await cutTornTail(input.home, input.partition, active) : undefined;
  if (!isTorn && soundBytes < size) await (await segment.file()).truncate(soundBytes); // zeros
  await makeDurable(input.segments, survey, active);
  // So must its name be, and the checkpoint's.
  if (isBeyondCheckpoint || soundBytes === 0) await storage.syncDirectory(directory);
  segment.becomeActive(soundBytes, index);
  return { ...survey, tornTail };
}

/** What was read may be in the operating system's hands only: it becomes what later batches will say it is. */
async function makeDurable(
  segments: readonly Segment[],
  { nextOffset, zeroTails }: LogSurvey,
  { segment: active, soundBytes, index, durableOffset }: SurveyedSegment,
): Promise<void> {
  for (const [i, segment] of segments.entries()) {
    if (segment === active) break;
    const zeros = zeroTails.find((tail) => tail.segment === segment);
    const isDurable = segments[i + 1]!.baseOffset <= durableOffset;
    if (isDurable && zeros === undefined) continue;
    const file = await segment.file();
    if (zeros !== undefined) await file.truncate(zeros.soundBytes);
    if (!isDurable) await writeBack(file, 0, await segment.visibleSize());
    await file.sync();
  }
  if (index === undefined) return;
  const file = await active.file();
  if (durableOffset < nextOffset) await writeBack(file, index.positionOfOffset(durableOffset), soundBytes);
  await file.sync();
}
