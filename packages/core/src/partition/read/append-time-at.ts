/** Finds when a record was appended, by its offset, from batch headers alone. */
import { scanSegment } from "../../segment/scan-segment.js";
import type { Segment } from "../../segment/segment.js";
import { readError } from "./damage.js";
import type { ReadSource } from "./read-source.js";

/** Size of a read, because an index entry is at least that near before the batch. */
const CHUNK_BYTES = 16 * 1024;

/** Returns undefined if the record is gone or cannot be read. */
export async function appendTimeAt(log: ReadSource, offset: number): Promise<number | undefined> {
  const inMemory = log.tail?.read(offset, log.offsets.highWatermark, 1)?.batches[0];
  if (inMemory !== undefined) return inMemory.appendTime;
  const segment = log.segments.find(offset);
  if (segment === undefined) return undefined;
  try {
    return await appendTimeIn(log, segment, offset);
  } catch (error) {
    const wasDeleted = log.isClosed || log.segments.find(offset) !== segment;
    if (!wasDeleted) log.noteDamage(readError(log, segment, offset, error));
    return undefined;
  }
}

async function appendTimeIn({ limits }: ReadSource, segment: Segment, offset: number): Promise<number | undefined> {
  const position = (await segment.index()).positionOfOffset(offset);
  const end = await segment.visibleSize();
  const range = { position, end, nextOffset: undefined, limits, verify: false, chunkBytes: CHUNK_BYTES };
  return segment.read(async (file) => {
    for await (const { batch } of scanSegment(file, range)) if (batch.nextOffset > offset) return batch.appendTime;
    return undefined;
  });
}
