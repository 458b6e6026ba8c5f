/**
 * A partition as it was at one moment, in another directory: finished segments by a second name,
 * for they never change again; the one that is written to as a copy, up to where it was then.
 */
import { ClosedError, CorruptPartitionError, LogStoreError } from "@logstore/codec";
import { writeCheckpoint } from "../files/checkpoint-file.js";
import { indexFileName } from "../files/file-names.js";
import { ProducerState } from "../partition/append/producer-state.js";
import { damagedAt, readError } from "../partition/read/damage.js";
import { scanSegment } from "../segment/scan-segment.js";
import type { Segment } from "../segment/segment.js";
import { attemptOf } from "../storage/io-trouble.js";
import { copyFile, linkIfThere, linkOrCopy } from "../storage/link-or-copy.js";
import type { Storage, StorageFile } from "../storage/storage.js";
import type { Cut } from "./cut.js";

/** Resolves to the bytes in its log files, when all of it is durable. */
export async function copyPartition(
  storage: Storage,
  directory: string,
  cut: Cut,
  signal: AbortSignal,
): Promise<number> {
  try {
    return await copyFiles(storage, directory, cut, signal);
  } catch (error) {
    throw sourceError(cut, error);
  }
}

const READING: ReadonlySet<string> = new Set(["looking at", "opening", "reading"]);

/** Where it is the source that cannot be read, its partition is damaged. */
function sourceError({ log, segments }: Cut, error: unknown): unknown {
  if (error instanceof CorruptPartitionError) return log.cameUpon(error);
  const attempt = attemptOf(error);
  if (attempt === undefined || !READING.has(attempt.doing)) return error;
  const segment = segments.find(({ path }) => path.endsWith(attempt.file));
  return segment === undefined ? error : log.cameUpon(readError(log, segment, segment.baseOffset, error));
}

async function copyFiles(storage: Storage, directory: string, cut: Cut, signal: AbortSignal): Promise<number> {
  const { log, segments, mark } = cut;
  const last = segments.at(-1);
  if (last === undefined || mark === undefined) return 0;
  // A finished segment may be on its way to the disk still: its records, or the cutting of the
  // zeros behind them, which may come to be durable later than the records. Whoever writes is to
  // hear of it first if it does not get there.
  await log.finishedDurably();
  await storage.makeDirectory(directory);
  let sizeBytes = 0;
  for (const segment of segments.slice(0, -1)) {
    signal.throwIfAborted();
    const path = `${directory}/${segment.name}`;
    await linkOrCopy(storage, segment.path, path);
    await linkIfThere(storage, segment.indexPath, `${directory}/${indexFileName(segment.baseOffset)}`);
    sizeBytes += await withFile(storage, path, (file) => file.size());
  }
  signal.throwIfAborted();
  const { logStart, end } = cut;
  const gaps = log.gaps.filter(([, to]) => to > logStart);
  const found = await findEnd(storage, cut, mark);
  const { position } = found;
  await copyFile(storage, last.path, `${directory}/${last.name}`, position);
  await writeIndex(storage, directory, last, position);
  await writeCheckpoint(storage, directory, { ...found, logStart, recoveryPoint: end, segment: last.baseOffset, gaps });
  return sizeBytes + position;
}

/**
 * Goes on from the mark to the end: where that is in the last segment, and what is remembered of
 * producers there.
 */
async function findEnd(storage: Storage, { log, segments, end }: Cut, mark: NonNullable<Cut["mark"]>) {
  const producers = new ProducerState(mark.producers);
  let { lastAppendTime, position, recoveryPoint: nextOffset } = mark;
  const { limits } = log;
  for (const segment of segments) {
    if (segment.baseOffset < mark.segment) continue;
    if (segment.baseOffset > mark.segment) position = 0;
    if (nextOffset === end) continue;
    await withFile(storage, segment.path, async (file) => {
      const range = { position, end: await file.size(), nextOffset, limits, verify: false };
      try {
        for await (const { batch } of scanSegment(file, range)) {
          producers.appended(batch);
          producers.written();
          ({ nextOffset } = batch);
          lastAppendTime = batch.appendTime;
          position += batch.byteLength;
          if (nextOffset === end) break; // what follows may be half written
        }
      } catch (error) {
        if (!(error instanceof LogStoreError)) throw error;
        throw damagedAt(log, segment, nextOffset, position, error);
      }
    });
  }
  return { position, lastAppendTime, producers: producers.snapshot() };
}

/** A cache: where the segment is not in use any more, it is left out. */
async function writeIndex(storage: Storage, directory: string, segment: Segment, size: number): Promise<void> {
  const index = await segment.index().catch((error: unknown) => {
    if (!(error instanceof ClosedError)) throw error;
  });
  if (index === undefined) return;
  const file = await storage.createFile(`${directory}/${indexFileName(segment.baseOffset)}`);
  try {
    await file.write([index.upTo(size).encode(segment.baseOffset, size)], 0);
  } finally {
    await file.close();
  }
}

async function withFile<T>(storage: Storage, path: string, work: (file: StorageFile) => Promise<T>): Promise<T> {
  const file = await storage.openFile(path, "read");
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
