/**
 * Advances the log start, by retention or on request. Records become unavailable at once; a file is
 * removed when all its records are deleted.
 */
import { InvalidArgumentError, LogStoreError, OffsetOutOfRangeError, StorageFailedError } from "@logstore/codec";
import { markLogStart } from "../../files/checkpoint-file.js";
import { type LogStoreHooks, tell } from "../../hooks/hooks.js";
import type { Segment, SegmentHome } from "../../segment/segment.js";
import { ReplacedNotDurableError } from "../../storage/atomic-file.js";
import { isDiskFull } from "../../storage/disk-trouble.js";
import { adviceOf, attemptOf, reasonOf } from "../../storage/io-trouble.js";
import { withStorageErrors } from "../../storage/storage-error.js";
import type { LogWriter } from "../append/log-writer.js";
import type { PublishBounds } from "../append/store-ties.js";
import { readError } from "../read/damage.js";
import type { ReadableLog } from "../read/readable-log.js";
import { expiredSegments, type RetentionLimits, type SegmentAge } from "./retention-policy.js";

export interface Deletion {
  readonly home: SegmentHome;
  readonly log: ReadableLog;
  readonly writer: LogWriter;
  readonly hooks: LogStoreHooks;
  readonly publishBounds: PublishBounds;
}

/**
 * Deletes all records before `offset`.
 *
 * @throws OffsetOutOfRangeError above the high watermark
 * @throws StorageFailedError if the new start could not be made durable; then nothing is deleted
 * @throws ReplacedNotDurableError if the new start was written but may not be durable: then the
 * state on disk is unknown
 */
export async function deleteBefore(deletion: Deletion, offset: number): Promise<void> {
  const { log, writer } = deletion;
  checkOffset(log, offset);
  if (offset <= log.offsets.logStart) return;
  await writer.sync();
  try {
    await writer.checkpoint(offset);
  } catch (cause) {
    if (cause instanceof ReplacedNotDurableError) throw cause;
    const { partition } = log;
    const error = new StorageFailedError(
      `the new log start offset could not be noted (${reasonOf(cause)}): no record was deleted; ${adviceOf(cause)}, or try again`,
      { partition, offset, file: attemptOf(cause)?.file },
      { cause },
    );
    if (!isDiskFull(cause)) throw error;
    return deleteWithoutRoom(deletion, offset, error);
  }
  await startAt(deletion, offset, log.segments.takeBefore(offset));
}

/**
 * Like {@link deleteBefore}, when nothing can be written: on a full disk, or in a partition that
 * accepts no appends. Deletes only whole segments before the checkpoint's segment, so that the
 * checkpoint stays valid.
 *
 * @param reason why nothing can be written; thrown if there is no such segment
 */
export async function deleteWithoutRoom(deletion: Deletion, offset: number, reason: LogStoreError): Promise<void> {
  const { home, log, writer } = deletion;
  if (log.isDamagedAt(offset - 1)) throw reason;
  checkOffset(log, offset);
  if (offset <= log.offsets.logStart) return;
  const removable = Math.min(offset, writer.checkpointSegment ?? 0);
  const [oldest] = log.segments;
  if (oldest === undefined || log.segments.countBefore(removable) === 0) throw reason;
  await withStorageErrors(
    `partition ${log.partition}: the log start could not be moved to ${offset}, and no record was deleted`,
    () => markLogStart(home.storage, home.directory, offset, oldest.indexFile.path),
    { partition: log.partition, offset },
  );
  await startAt(deletion, offset, log.segments.takeBefore(removable));
}

function checkOffset({ partition, offsets }: ReadableLog, offset: number): void {
  const { highWatermark } = offsets;
  if (!(Number.isSafeInteger(offset) && offset >= 0)) throw new InvalidArgumentError(`${offset} is not an offset`);
  if (offset <= highWatermark) return;
  throw new OffsetOutOfRangeError(`partition ${partition} has no records to delete beyond ${highWatermark}`, {
    partition,
    offset,
    expected: highWatermark,
  });
}

/** Applies a new log start, which is durable already. */
async function startAt(deletion: Deletion, offset: number, emptied: readonly Segment[]): Promise<void> {
  const { home, log, hooks, publishBounds } = deletion;
  const { partition } = log;
  log.offsets.startAt(offset);
  await publishBounds(partition, offset, log.offsets.highWatermark);
  await removeSegments(home, emptied);
  tell(() => hooks.deleted?.({ partition, logStart: offset, segments: emptied.length }));
}

/**
 * Returns the offset up to which records exceed the retention limits, in whole finished segments.
 * Appends may proceed in the meantime.
 */
export async function expiredOffset(
  { home, log, writer }: Deletion,
  { retentionMs, retentionBytes }: RetentionLimits,
): Promise<number> {
  const now = home.storage.now();
  const segments = [...log.segments];
  const sizes = retentionBytes === undefined ? [] : await Promise.all(segments.map((segment) => segment.size()));
  const ages: SegmentAge[] = [];
  for (const i of segments.slice(0, -1).keys()) {
    const newestTime =
      retentionMs === undefined ? Number.POSITIVE_INFINITY : await timeOf(log, segments[i + 1]!, writer.lastAppendTime);
    ages.push({ sizeBytes: sizes[i] ?? 0, newestTime });
    if (retentionBytes === undefined && newestTime >= now - retentionMs!) break; // later segments are newer
  }
  // The active segment is never deleted, but its bytes count.
  const kept = { sizeBytes: sizes.at(-1) ?? 0, newestTime: Number.POSITIVE_INFINITY };
  const count = expiredSegments([...ages, kept], { retentionMs, retentionBytes }, now);
  return segments[Math.min(count, segments.length - 1)]?.baseOffset ?? 0;
}

/** If the time cannot be read, nothing is deleted because of its age. */
async function timeOf(log: ReadableLog, segment: Segment, lastAppendTime: number): Promise<number> {
  try {
    return (await segment.firstAppendTime()) ?? lastAppendTime;
  } catch (cause) {
    const error = log.noteDamage(readError(log, segment, segment.baseOffset, cause));
    if (cause instanceof LogStoreError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/**
 * Records in the active segment expire, too. Only a finished segment can be deleted, so the active
 * one is finished when all its records have expired.
 */
export async function rollIfExpired({ home, log, writer }: Deletion, { retentionMs }: RetentionLimits): Promise<void> {
  const size = (await log.segments.active?.size()) ?? 0;
  if (retentionMs === undefined || size === 0) return;
  if (writer.lastAppendTime < home.storage.now() - retentionMs) await writer.roll();
}

/** Oldest first, so that a crash leaves a log without a gap. */
export async function removeSegments(home: SegmentHome, segments: readonly Segment[]): Promise<void> {
  if (segments.length === 0) return;
  await Promise.allSettled(segments.map((segment) => segment.close()));
  try {
    for (const segment of segments) await segment.remove();
    await home.storage.syncDirectory(home.directory);
  } catch {
    // They no longer belong to the log; the next open removes the remaining files.
  }
}
