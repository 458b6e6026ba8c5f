/** Reads a partition through and says what is not as it should be. Nothing is changed. */

import type { Segment } from "../segment/segment.js";
import { SparseIndex } from "../segment/sparse-index.js";
import type { ReadableLog } from "./readable-log.js";
import { isGap } from "./survey-log.js";
import { walkSegment } from "./walk-segment.js";

/** What was read of a partition so far. */
export interface VerifyProgress {
  readonly type: "progress";
  readonly partition: number;
  readonly records: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Records that cannot be read, or an index file that does not fit its log. */
export interface VerifyFinding {
  readonly type: "finding";
  readonly kind: "damage" | "index";
  readonly partition: number;
  /** The segment file, from the store's directory on. */
  readonly file: string;
  /** Where the damage begins in it. */
  readonly byte: number;
  /** Damaged bytes; 0 where they are missing. */
  readonly length: number;
  /** The first offset that is lost. */
  readonly offset: number;
  /** The first one that can be read again; undefined where nothing follows. */
  readonly nextOffset: number | undefined;
  readonly reason: string;
}

export type VerifyEvent = VerifyProgress | VerifyFinding;

/** How much is read from one event of progress to the next, at least. */
const PROGRESS_BYTES = 1024 * 1024;

/** Offsets expected to be in the log below `expectedEnd` that are in no batch are damage too. */
export async function* verifyLog(log: ReadableLog, expectedEnd: number): AsyncGenerator<VerifyEvent, void> {
  const { partition } = log;
  const segments = [...log.segments];
  const ends = await Promise.all(segments.map((segment) => endOf(log, segment)));
  const totalBytes = ends.reduce((sum, end) => sum + end, 0);
  let records = 0;
  let bytes = 0;
  let told = 0;
  let nextOffset = segments[0]?.baseOffset ?? log.offsets.logStart;
  /** Damage whose end is not found yet: one at most. */
  const open: Omit<VerifyFinding, "nextOffset">[] = [];
  const lost = (segment: Segment, byte: number, length: number, reason: string): void => {
    const file = `${partition}/${segment.name}`;
    const damage = {
      type: "finding",
      kind: "damage",
      partition,
      file,
      byte,
      length,
      offset: nextOffset,
      reason,
    } as const;
    if (open.length === 0) open.push(damage);
  };

  if (segments[0] !== undefined && segments[0].baseOffset > log.offsets.logStart) {
    nextOffset = log.offsets.logStart;
    lost(segments[0], 0, 0, "the files that the log begins with are missing");
  }
  for (const [i, segment] of segments.entries()) {
    const end = ends[i]!;
    const before = segments[i - 1];
    if (isGap(log.gaps, nextOffset, segment.baseOffset)) nextOffset = segment.baseOffset;
    if (before !== undefined && segment.baseOffset > nextOffset) lost(before, ends[i - 1]!, 0, "the file ends early");
    for (const damage of open.splice(0)) yield { ...damage, nextOffset: segment.baseOffset };
    nextOffset = segment.baseOffset;
    const index = new SparseIndex();
    const range = { end, baseOffset: segment.baseOffset, limits: log.limits };
    for await (const step of walkSegment(await segment.file(), range)) {
      if ("damage" in step) {
        lost(segment, step.position, step.nextPosition - step.position, step.damage.message);
        continue;
      }
      const { batch, position } = step;
      for (const damage of open.splice(0)) yield { ...damage, nextOffset: batch.baseOffset };
      index.add(batch.baseOffset, position, batch.appendTime);
      nextOffset = batch.nextOffset;
      records += batch.recordCount;
      const read = bytes + position + batch.byteLength;
      if (read - told < PROGRESS_BYTES) continue;
      told = read;
      yield { type: "progress", partition, records, bytes: read, totalBytes };
    }
    bytes += end;
    const reason = segment === log.segments.active ? undefined : await segment.indexFault(index);
    if (reason !== undefined) {
      const file = `${partition}/${segment.name}`;
      const where = { file, byte: 0, length: 0, offset: segment.baseOffset, nextOffset: segment.baseOffset };
      yield { type: "finding", kind: "index", partition, ...where, reason };
    }
  }
  const last = segments.at(-1);
  if (last !== undefined && nextOffset < expectedEnd) lost(last, ends.at(-1)!, 0, "the file ends early");
  for (const damage of open) yield { ...damage, nextOffset: expectedEnd > nextOffset ? expectedEnd : undefined };
  yield { type: "progress", partition, records, bytes, totalBytes };
}

/** What was published; everything, where the log is damaged and the rest of it out of reach. */
function endOf(log: ReadableLog, segment: Segment): Promise<number> {
  return log.damage === undefined ? segment.visibleSize() : segment.size();
}
