/** How far a group is behind, in records and in time. */
import { detailOf } from "../errors/error-detail.js";
import type { Gap } from "../files/checkpoint-file.js";
import { readError } from "../partition/read/damage.js";
import type { ReadableLog } from "../partition/read/readable-log.js";
import { scanSegment } from "../segment/scan-segment.js";
import type { Segment } from "../segment/segment.js";
import type { Lag } from "./state/group-topics.js";

/** Batches before the one that is looked for: an index entry is so near. */
const CHUNK_BYTES = 16 * 1024;

export async function lagOf(log: ReadableLog, committed: number | undefined, now: number): Promise<Lag> {
  const { logStart, highWatermark } = log.offsets;
  const { gaps, knownEnd } = log;
  // What was committed was there once, whatever is known of the log now.
  const logEndOffset = log.damage === undefined ? knownEnd : Math.max(knownEnd, committed ?? 0);
  const next = behindGap(Math.max(committed ?? logStart, logStart), gaps);
  const lag = recordsBetween(next, logEndOffset, gaps);
  const appendTime = next < highWatermark ? await appendTimeAt(log, next) : undefined;
  const lagMs = appendTime === undefined ? 0 : Math.max(0, now - appendTime);
  const { knownDamage: damage } = log;
  return { logEndOffset, lag, lagMs, ...(damage !== undefined && { damage: detailOf(damage) }) };
}

/** The first offset from `offset` on that a repair did not find lost. */
function behindGap(offset: number, gaps: readonly Gap[]): number {
  let next = offset;
  for (const [from, to] of gaps) if (from <= next && next < to) next = to;
  return next;
}

/** What a repair found lost is not waited for by anybody. */
function recordsBetween(from: number, end: number, gaps: readonly Gap[]): number {
  let count = end - from;
  for (const gap of gaps) count -= Math.max(0, Math.min(gap[1], end) - Math.max(gap[0], from));
  return Math.max(0, count);
}

/**
 * Append time of the batch with this offset; undefined where it is gone or cannot be read. Only the
 * batches' headers are looked at.
 */
async function appendTimeAt(log: ReadableLog, offset: number): Promise<number | undefined> {
  const inMemory = log.tail?.read(offset, log.offsets.highWatermark, 1)?.batches[0];
  if (inMemory !== undefined) return inMemory.appendTime;
  const segment = log.segments.find(offset);
  if (segment === undefined) return undefined;
  try {
    return await appendTimeIn(log, segment, offset);
  } catch (error) {
    const wasDeleted = log.isClosed || log.segments.find(offset) !== segment;
    if (!wasDeleted) log.cameUpon(readError(log, segment, offset, error));
    return undefined;
  }
}

async function appendTimeIn({ limits }: ReadableLog, segment: Segment, offset: number): Promise<number | undefined> {
  const position = (await segment.index()).positionOfOffset(offset);
  const end = await segment.visibleSize();
  const range = { position, end, nextOffset: undefined, limits, verify: false, chunkBytes: CHUNK_BYTES };
  return segment.read(async (file) => {
    for await (const { batch } of scanSegment(file, range)) if (batch.nextOffset > offset) return batch.appendTime;
    return undefined;
  });
}
