/** Seek by time: append times never decrease within a partition, so they can be searched like offsets. */
import { InvalidArgumentError, LogStoreError, type RecordBatch } from "@logstore/codec";
import { scanSegment } from "../segment/scan-segment.js";
import type { Segment } from "../segment/segment.js";
import { damagedAt, type ReadableLog } from "./batch-reader.js";

/**
 * Offset of the first record appended at `time` (ms since the epoch) or later; the high watermark where there is none.
 *
 * @throws InvalidArgumentError, CorruptPartitionError, ClosedError
 */
export async function offsetOfTime(log: ReadableLog, time: number): Promise<number> {
  if (!Number.isSafeInteger(time)) throw new InvalidArgumentError(`time ${time} is not a whole number of ms`);
  let found: Segment | undefined;
  // The segment that the time falls into is the last one that begins before it.
  for (const segment of log.segments) {
    if (segment.baseOffset >= log.offsets.highWatermark) break; // empty yet, or behind a damaged place
    const first = await findBatch(log, segment, 0, () => true);
    if (first === undefined || first.appendTime >= time) break;
    found = segment;
  }
  if (found === undefined) return log.offsets.logStart;
  const position = (await found.index()).positionOfTime(time);
  const batch = await findBatch(log, found, position, ({ appendTime }) => appendTime >= time);
  const next = log.segments.after(found)?.baseOffset ?? Number.POSITIVE_INFINITY;
  return batch?.baseOffset ?? Math.min(next, log.offsets.highWatermark);
}

/** The first batch from `position` on that is wanted; undefined where none is that may be read yet. */
async function findBatch(
  log: ReadableLog,
  segment: Segment,
  position: number,
  isWanted: (batch: RecordBatch) => boolean,
): Promise<RecordBatch | undefined> {
  const nextOffset = position === 0 ? segment.baseOffset : undefined;
  const range = { position, nextOffset, end: await segment.visibleSize(), limits: log.limits, verify: false };
  try {
    return await segment.read(async (file) => {
      for await (const { batch } of scanSegment(file, range)) if (isWanted(batch)) return batch;
      return undefined;
    });
  } catch (error) {
    if (!(error instanceof LogStoreError) || error.code === "CLOSED") throw error;
    throw damagedAt(log, segment, error.offset ?? segment.baseOffset, error.byte ?? position, error);
  }
}
