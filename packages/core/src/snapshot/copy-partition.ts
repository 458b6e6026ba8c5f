/**
 * Copies a partition as of one point in time to another directory. Finished segments get a second
 * name (a hard link), because they never change. The active segment is copied up to its end at that
 * time.
 */
import { ClosedError, CorruptPartitionError, LogStoreError } from "@logstore/codec";
import { ProducerState } from "../engine/append/producer-state.js";
import { writeCheckpoint } from "../files/checkpoint-file.js";
import { indexFileName } from "../files/file-names.js";
import { damagedAt, readError } from "../partition/read/damage.js";
import { scanSegment } from "../segment/scan-segment.js";
import type { Segment } from "../segment/segment.js";
import { attemptOf } from "../storage/io-trouble.js";
import { copyFile, linkIfThere, linkOrCopy } from "../storage/link-or-copy.js";
import type { Storage, StorageFile } from "../storage/storage.js";
import type { Cut } from "./cut.js";

/** Resolves to the size of its log files in bytes, once everything is durable. */
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

/** If the source cannot be read, its partition is damaged. */
function sourceError({ log, segments }: Cut, error: unknown): unknown {
  if (error instanceof CorruptPartitionError) return log.noteDamage(error);
  const attempt = attemptOf(error);
  if (attempt === undefined || !READING.has(attempt.doing)) return error;
  const segment = segments.find(({ path }) => path.endsWith(attempt.file));
  return segment === undefined ? error : log.noteDamage(readError(log, segment, segment.baseOffset, error));
}

async function copyFiles(storage: Storage, directory: string, cut: Cut, signal: AbortSignal): Promise<number> {
  const { log, segments, mark } = cut;
  const last = segments.at(-1);
  if (last === undefined || mark === undefined) return 0;
  // A finished segment may still be on its way to disk: its records, or the truncation of its
  // preallocated zeros, which may become durable after the records. A failure there must be
  // reported to the writer first.
  await log.finishedDurably();
  await storage.makeDirectory(directory);
  let sizeBytes = 0;
  for (const segment of segments.slice(0, -1)) {
    signal.throwIfAborted();
    const path = `${directory}/${segment.name}`;
    await linkOrCopy(storage, segment.path, path);
    await linkIfThere(storage, segment.indexFile.path, `${directory}/${indexFileName(segment.baseOffset)}`);
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
 * Reads from the mark to the end, to find the end's position in the last segment and the producer
 * state there.
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
          if (nextOffset === end) break; // the next batch may be half written
        }
      } catch (error) {
        if (!(error instanceof LogStoreError)) throw error;
        throw damagedAt(log, segment, nextOffset, position, error);
      }
    });
  }
  return { position, lastAppendTime, producers: producers.snapshot() };
}

/** The index is only a cache: it is left out if the segment has been closed. */
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
