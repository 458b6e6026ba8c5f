/**
 * Look-up by time: append times never decrease within a partition, so that they can be searched
 * like offsets.
 */
import { scanSegment } from "../../segment/scan-segment.js";
import type { Segment } from "../../segment/segment.js";
import { readError } from "./damage.js";
import type { ReadSource } from "./read-source.js";

/** Size of a read; an index entry is near enough that little has to be read after it. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Returns the offset of the first record appended at or after `time` (ms since the epoch); the high
 * watermark if there is none.
 *
 * @throws CorruptPartitionError, StorageFailedError, ClosedError
 */
export async function offsetOfTime(log: ReadSource, time: number): Promise<number> {
  for (;;) {
    const { logStart } = log.offsets;
    try {
      return await search(log, time);
    } catch (error) {
      await log.refresh();
      if (log.offsets.logStart === logStart) throw log.noteDamage(error); // otherwise the segment has been deleted
    }
  }
}

async function search(log: ReadSource, time: number): Promise<number> {
  const segment = await lastBeginningBefore(log, time);
  const { logStart, highWatermark } = log.offsets;
  if (segment === undefined) return logStart;
  const found = await firstOffsetFrom(log, segment, time);
  const next = log.segments.after(segment)?.baseOffset ?? highWatermark;
  return Math.max(logStart, Math.min(found ?? next, highWatermark));
}

/** The segment that contains the time. */
async function lastBeginningBefore(log: ReadSource, time: number): Promise<Segment | undefined> {
  const { highWatermark } = log.offsets;
  const segments = [...log.segments].filter(({ baseOffset }) => baseOffset < highWatermark);
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // A repair may have left an empty segment: then the next non-empty one decides.
    let probe = middle;
    let first: number | undefined;
    for (; probe < high && first === undefined; probe++) {
      const segment = segments[probe]!;
      first = await readingOf(log, segment, () => segment.firstAppendTime());
    }
    if (first === undefined || first >= time) high = middle;
    else low = probe;
  }
  return segments[low - 1];
}

async function firstOffsetFrom(log: ReadSource, segment: Segment, time: number): Promise<number | undefined> {
  const { highWatermark } = log.offsets;
  return readingOf(log, segment, async () => {
    const position = (await segment.index()).positionOfTime(time);
    const nextOffset = position === 0 ? segment.baseOffset : undefined;
    const end = await segment.visibleSize();
    const range = { position, nextOffset, end, limits: log.limits, verify: false, chunkBytes: CHUNK_BYTES };
    return segment.read(async (file) => {
      for await (const { batch } of scanSegment(file, range)) {
        if (batch.appendTime >= time) return batch.baseOffset;
        if (batch.nextOffset >= highWatermark) return undefined; // the next batch may be half written
      }
      return undefined;
    });
  });
}

/** Reports damage as that of the partition. */
async function readingOf<T>(log: ReadSource, segment: Segment, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw readError(log, segment, segment.baseOffset, error);
  }
}
