/** Reads a partition through and says what is not as it should be. Nothing is changed. */

import { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import { isGap } from "../../files/checkpoint-file.js";
import { logFileName } from "../../files/file-names.js";
import type { Segment } from "../../segment/segment.js";
import { SparseIndex } from "../../segment/sparse-index.js";
import { damagedAt, readError } from "../read/damage.js";
import type { ReadableLog } from "../read/readable-log.js";
import { type Step, type WalkRange, walkSegment } from "./walk-segment.js";

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
  readonly kind: "damage" | "index" | "overlap";
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

/** What `verify` yields. */
export type VerifyEvent = VerifyProgress | VerifyFinding;

/** How much is read from one event of progress to the next, at least. */
const PROGRESS_BYTES = 1024 * 1024;

/** Offsets expected to be in the log below `expectedEnd` that are in no batch are damage too. */
export async function* verifyLog(log: ReadableLog, expectedEnd: number): AsyncGenerator<VerifyEvent, void> {
  const isRight = log.beginCheck();
  let isDamaged = false;
  for await (const event of findings(log, expectedEnd)) {
    if (event.type === "finding" && event.kind === "damage") {
      isDamaged = true;
      const { file, byte, offset, reason } = event;
      log.cameUpon(damagedAt(log, { name: file.slice(file.indexOf("/") + 1) }, offset, byte, new Error(reason)));
    }
    yield event;
  }
  if (!isDamaged) isRight();
}

async function* findings(log: ReadableLog, expectedEnd: number): AsyncGenerator<VerifyEvent, void> {
  const { partition } = log;
  const segments = [...log.segments];
  const ends: number[] = [];
  for (const segment of segments) ends.push(await endOf(log, segment));
  const totalBytes = ends.reduce((sum, end) => sum + end, 0);
  let records = 0;
  let bytes = 0;
  let told = 0;
  /** Where the sound batches of a segment end. */
  let soundEnd = 0;
  let nextOffset = segments[0]?.baseOffset ?? log.offsets.logStart;
  /** Damage whose end is not found yet: one at most. */
  const open: Omit<VerifyFinding, "nextOffset">[] = [];
  let isDamaged = false;
  const lost = (segment: { readonly name: string }, byte: number, length: number, reason: string): void => {
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
    isDamaged = true;
    const [before] = open;
    if (before === undefined) open.push(damage);
    else if (before.file === file) open[0] = { ...before, length: byte + length - before.byte };
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
    if (before !== undefined && segment.baseOffset < nextOffset) yield overlap(log, segment, before, nextOffset);
    for (const damage of open.splice(0)) yield { ...damage, nextOffset: segment.baseOffset };
    nextOffset = segment.baseOffset;
    const index = new SparseIndex();
    const limitOffset = segments[i + 1]?.baseOffset ?? Number.POSITIVE_INFINITY;
    const mayEndInZeros = i === segments.length - 1;
    const range = { end, baseOffset: segment.baseOffset, limitOffset, limits: log.limits, mayEndInZeros };
    soundEnd = 0;
    let isSound = true;
    for await (const step of walk(log, segment, range)) {
      if ("damage" in step) {
        isSound = false;
        lost(segment, step.position, step.nextPosition - step.position, step.damage.message);
        continue;
      }
      const { batch, position } = step;
      for (const damage of open.splice(0)) yield { ...damage, nextOffset: batch.baseOffset };
      index.add(batch.baseOffset, position, batch.appendTime);
      soundEnd = position + batch.byteLength;
      nextOffset = batch.nextOffset;
      records += batch.recordCount;
      const read = bytes + position + batch.byteLength;
      if (read - told < PROGRESS_BYTES) continue;
      told = read;
      yield { type: "progress", partition, records, bytes: read, totalBytes };
    }
    bytes += end;
    if (wasDeleted(log, segment)) {
      open.length = 0; // nothing of it is missed
      nextOffset = segments[i + 1]?.baseOffset ?? nextOffset;
      continue;
    }
    // One that grew meanwhile has an index of more; of damaged batches, its index may know more
    // than can be read.
    const isWhole = isSound && end > 0 && segment !== log.segments.active && end === (await sizeOf(log, segment));
    const reason = isWhole ? await segment.indexFault(index) : undefined;
    if (reason !== undefined) {
      const file = `${partition}/${segment.name}`;
      const where = { file, byte: 0, length: 0, offset: segment.baseOffset, nextOffset: segment.baseOffset };
      yield { type: "finding", kind: "index", partition, ...where, reason };
    }
  }
  const last = segments.at(-1);
  if (last !== undefined && nextOffset < expectedEnd)
    lost(last, soundEnd, ends.at(-1)! - soundEnd, "the file ends early");
  if (log.damage instanceof StorageFailedError) throw log.damage; // more may be there than was found
  // Where files are missing, those that are left may be whole.
  if (!isDamaged && log.damage instanceof CorruptPartitionError) {
    const { message } = log.damage.cause as Error;
    lost(last ?? { name: logFileName(nextOffset) }, ends.at(-1) ?? 0, 0, message);
  }
  for (const damage of open) yield { ...damage, nextOffset: expectedEnd > nextOffset ? expectedEnd : undefined };
  yield { type: "progress", partition, records, bytes, totalBytes };
}

/** A segment that was deleted while it was walked through is no longer part of the log. */
async function* walk(log: ReadableLog, segment: Segment, range: WalkRange): AsyncGenerator<Step, void> {
  try {
    yield* walkSegment(await segment.file(), range);
  } catch (error) {
    if (!wasDeleted(log, segment)) throw log.cameUpon(readError(log, segment, segment.baseOffset, error));
  }
}

function wasDeleted(log: ReadableLog, segment: Segment): boolean {
  return !log.isClosed && log.segments.find(segment.baseOffset) !== segment;
}

async function sizeOf(log: ReadableLog, segment: Segment): Promise<number> {
  return log.segments.find(segment.baseOffset) === segment ? segment.size() : 0;
}

/**
 * Records that are there twice: which of them is right cannot be told, and repair leaves them
 * alone.
 */
function overlap(log: ReadableLog, segment: Segment, before: Segment, nextOffset: number): VerifyFinding {
  const { partition } = log;
  return {
    type: "finding",
    kind: "overlap",
    partition,
    file: `${partition}/${segment.name}`,
    byte: 0,
    length: 0,
    offset: segment.baseOffset,
    nextOffset,
    reason: `${before.name} goes on to offset ${nextOffset}: move one of the two files away`,
  };
}

/** What was published; everything, where the log is damaged and the rest of it out of reach. */
async function endOf(log: ReadableLog, segment: Segment): Promise<number> {
  try {
    return await (log.damage === undefined ? segment.visibleSize() : segment.size());
  } catch (error) {
    if (wasDeleted(log, segment)) return 0;
    throw log.cameUpon(readError(log, segment, segment.baseOffset, error));
  }
}
