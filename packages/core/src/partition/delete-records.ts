/** The log's start moves: by retention, or because somebody says so. Records disappear at once, their files when all of it may. */
import { InvalidArgumentError, OffsetOutOfRangeError, StorageFailedError } from "@logstore/codec";
import type { Segment, SegmentHome } from "../segment/segment.js";
import { type LogStoreHooks, tell } from "./hooks.js";
import type { LogWriter, PublishBounds } from "./log-writer.js";
import type { ReadableLog } from "./readable-log.js";
import { expiredSegments, type RetentionLimits, type SegmentAge } from "./retention-policy.js";

export interface Deletion {
  readonly home: SegmentHome;
  readonly log: ReadableLog;
  readonly writer: LogWriter;
  readonly hooks: LogStoreHooks;
  readonly publishBounds: PublishBounds;
}

/**
 * Deletes every record before `offset`.
 *
 * @throws OffsetOutOfRangeError beyond the high watermark
 * @throws StorageFailedError where it could not be noted durably: nothing is deleted then
 */
export async function deleteBefore(deletion: Deletion, offset: number): Promise<void> {
  const { home, log, writer, hooks, publishBounds } = deletion;
  const { logStart, highWatermark } = log.offsets;
  const { partition } = log;
  if (!(Number.isSafeInteger(offset) && offset >= 0)) throw new InvalidArgumentError(`${offset} is not an offset`);
  if (offset > highWatermark) {
    throw new OffsetOutOfRangeError(`partition ${partition} has no records to delete beyond ${highWatermark}`, {
      partition,
      offset,
      expected: highWatermark,
    });
  }
  if (offset <= logStart) return;
  await writer.sync();
  try {
    await writer.checkpoint(offset);
  } catch (cause) {
    throw new StorageFailedError(
      `the new log start offset could not be noted (${(cause as Error).message}): no record was deleted; try again`,
      { partition, offset },
      { cause },
    );
  }
  log.offsets.startAt(offset);
  await publishBounds(offset, highWatermark);
  const emptied = log.segments.takeBefore(offset);
  await removeSegments(home, emptied);
  tell(() => hooks.deleted?.({ partition, logStart: offset, segments: emptied.length }));
}

/** Deletes what the limits say is too old or too much, whole segments at a time. */
export async function applyRetention(deletion: Deletion, limits: RetentionLimits): Promise<void> {
  const { home, log, writer } = deletion;
  const { retentionMs, retentionBytes } = limits;
  if (retentionMs === undefined && retentionBytes === undefined) return;
  const now = home.storage.now();
  const { active } = log.segments;
  if (active === undefined) return;
  // What lies in the active segment grows old too. Only a finished one can be deleted.
  const isOld = retentionMs !== undefined && writer.lastAppendTime < now - retentionMs;
  if (isOld && (await active.size()) > 0) await writer.roll();
  const finished = [...log.segments].slice(0, -1);
  const ages: SegmentAge[] = [];
  for (const segment of finished) {
    const next = log.segments.after(segment)!;
    const newestTime = (await next.firstAppendTime()) ?? writer.lastAppendTime;
    ages.push({ sizeBytes: await segment.size(), newestTime });
  }
  const activeBytes = (await log.segments.active?.size()) ?? 0;
  const withActive = [...ages, { sizeBytes: activeBytes, newestTime: Number.POSITIVE_INFINITY }];
  const count = Math.min(expiredSegments(withActive, limits, now), finished.length);
  const end = count === 0 ? 0 : log.segments.after(finished[count - 1]!)!.baseOffset;
  await deleteBefore(deletion, end);
}

/** The oldest first: whatever a crash leaves is a log without a gap. */
export async function removeSegments(home: SegmentHome, segments: readonly Segment[]): Promise<void> {
  if (segments.length === 0) return;
  try {
    for (const segment of segments) await segment.remove();
    await home.storage.syncDirectory(home.directory);
  } catch {
    // They are outside the log already; the next opening removes what is left of them.
  }
}
