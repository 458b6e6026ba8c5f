/** How far a group is behind, in records and in time. */
import type { ReadableLog } from "../partition/readable-log.js";
import { scanSegment } from "../segment/scan-segment.js";
import type { Lag } from "./group-topics.js";

/** Batches before the one that is looked for: an index entry is so near. */
const CHUNK_BYTES = 16 * 1024;

export async function lagOf(log: ReadableLog, committed: number | undefined, now: number): Promise<Lag> {
  const { logStart, highWatermark, logEnd } = log.offsets;
  const next = Math.max(committed ?? logStart, logStart);
  const lag = Math.max(0, logEnd - next);
  const appendTime = next < highWatermark ? await appendTimeAt(log, next).catch(() => undefined) : undefined;
  return { logEndOffset: logEnd, lag, lagMs: appendTime === undefined ? 0 : Math.max(0, now - appendTime) };
}

/** Append time of the batch with this offset; undefined where it is gone. Only the batches' headers are looked at. */
async function appendTimeAt(log: ReadableLog, offset: number): Promise<number | undefined> {
  const inMemory = log.tail?.read(offset, log.offsets.highWatermark, 1)?.batches[0];
  if (inMemory !== undefined) return inMemory.appendTime;
  const segment = log.segments.find(offset);
  if (segment === undefined) return undefined;
  const position = (await segment.index()).positionOfOffset(offset);
  const end = await segment.visibleSize();
  const range = { position, end, nextOffset: undefined, limits: log.limits, verify: false, chunkBytes: CHUNK_BYTES };
  return segment.read(async (file) => {
    for await (const { batch } of scanSegment(file, range)) if (batch.nextOffset > offset) return batch.appendTime;
    return undefined;
  });
}
