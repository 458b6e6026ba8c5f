/** The lag of a group, in records and in time. */
import type { Gap, PartitionLog } from "../engine/partition-log.js";
import { detailOf } from "../errors/error-detail.js";
import type { Lag } from "./state/group-topics.js";

export async function lagOf(log: PartitionLog, committed: number | undefined, now: number): Promise<Lag> {
  await log.refresh();
  const { logStart, highWatermark } = log.offsets;
  const { gaps, knownEnd } = log;
  // Committed records existed once, whatever is known of the log now.
  const logEndOffset = log.damage === undefined ? knownEnd : Math.max(knownEnd, committed ?? 0);
  const next = behindGap(Math.max(committed ?? logStart, logStart), gaps);
  const lag = recordsBetween(next, logEndOffset, gaps);
  const appendTime = next < highWatermark ? await log.appendTimeAt(next) : undefined;
  const lagMs = appendTime === undefined ? 0 : Math.max(0, now - appendTime);
  const { knownDamage: damage } = log;
  return { logEndOffset, lag, lagMs, ...(damage !== undefined && { damage: detailOf(damage) }) };
}

/** The first offset at or after `offset` that is not in a gap left by a repair. */
function behindGap(offset: number, gaps: readonly Gap[]): number {
  let next = offset;
  for (const [from, to] of gaps) if (from <= next && next < to) next = to;
  return next;
}

/** Records in gaps left by a repair do not count, because nobody can read them. */
function recordsBetween(from: number, end: number, gaps: readonly Gap[]): number {
  let count = end - from;
  for (const gap of gaps) count -= Math.max(0, Math.min(gap[1], end) - Math.max(gap[0], from));
  return Math.max(0, count);
}
