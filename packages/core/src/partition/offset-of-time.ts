/** Seek by time: append times never decrease within a partition, so they can be searched like offsets. */
import { InvalidArgumentError } from "@logstore/codec";
import { scanSegment } from "../segment/scan-segment.js";
import type { Segment } from "../segment/segment.js";
import type { ReadableLog } from "./batch-reader.js";

/** Offset of the first record appended at `time` (ms since the epoch) or later; the high watermark where there is none. */
export async function offsetOfTime(log: ReadableLog, time: number): Promise<number> {
  if (!Number.isSafeInteger(time)) throw new InvalidArgumentError(`time ${time} is not a whole number of ms`);
  let found: Segment | undefined;
  // The segment that the time falls into is the last one that begins before it.
  for (const segment of log.segments) {
    const appendTime = await firstAppendTime(log, segment);
    if (appendTime === undefined || appendTime >= time) break;
    found = segment;
  }
  if (found === undefined) return log.offsets.logStart;
  const index = await found.index();
  const position = index.positionOfTime(time);
  const range = { position, end: await found.visibleSize(), nextOffset: undefined, limits: log.limits, verify: false };
  for await (const { batch } of scanSegment(await found.file(), range)) {
    if (batch.appendTime >= time) return batch.baseOffset;
  }
  return log.segments.after(found)?.baseOffset ?? log.offsets.highWatermark;
}

/** Undefined where a segment holds nothing that may be read yet. */
async function firstAppendTime(log: ReadableLog, segment: Segment): Promise<number | undefined> {
  const range = { position: 0, end: await segment.visibleSize(), nextOffset: segment.baseOffset, limits: log.limits };
  for await (const { batch } of scanSegment(await segment.file(), { ...range, verify: false })) return batch.appendTime;
  return undefined;
}
