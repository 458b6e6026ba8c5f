/**
 * Makes a damaged partition usable again, without giving an offset to two records or throwing a
 * byte away. What is damaged is copied aside; what is sound behind it goes into a segment of its
 * own; the damaged segment ends where the damage began, and the checkpoint says which offsets are
 * lost. It can be interrupted anywhere and begun again.
 */

import { ProducerState } from "../../engine/append/producer-state.js";
import { type Gap, readCheckpoint, writeCheckpoint } from "../../files/checkpoint-file.js";
import { baseOffsetsOf, damagedFileName, logFileName, parseLogFileName } from "../../files/file-names.js";
import { Segment, type SegmentHome } from "../../segment/segment.js";
import { replaceFile } from "../../storage/atomic-file.js";
import { copyRange } from "../../storage/copy-range.js";
import type { StorageFile } from "../../storage/storage.js";
import { saveAside } from "../recovery/torn-tail.js";
import type { VerifyFinding } from "./verify-log.js";
import { walkSegment } from "./walk-segment.js";

/** Something that repair does, or would do. */
export interface RepairAction extends Omit<VerifyFinding, "type"> {
  /** Offsets that are lost: from `offset` on, so many. */
  readonly lostRecords: number;
  /** File that the damaged bytes are copied to; undefined where there are none. */
  readonly savedAs: string | undefined;
}

/** @param logEnd where a log goes on behind a damaged end */
export function planRepair(findings: readonly VerifyFinding[], logEnd: number, id: string): RepairAction[] {
  const mendable = findings.filter(({ kind }) => kind !== "overlap");
  return mendable.map(({ type: _, ...finding }) => {
    const { kind, partition, file, byte, length, offset } = finding;
    const nextOffset = finding.nextOffset ?? Math.max(logEnd, offset);
    const savedAs = length === 0 ? undefined : `${partition}/${damagedFileName(baseOffsetOf(file), byte, id)}`;
    return { ...finding, nextOffset, savedAs, lostRecords: kind === "damage" ? nextOffset - offset : 0 };
  });
}

/** The partition must be closed. */
export async function repairLog(home: SegmentHome, actions: readonly RepairAction[]): Promise<void> {
  for (const { kind, file } of actions)
    if (kind === "index") await new Segment(home, baseOffsetOf(file)).indexFile.remove();
  const damages = actions.filter(({ kind }) => kind === "damage");
  if (damages.length === 0) return;
  const end = damages.at(-1)!.nextOffset!;
  await noteEnd(home, end);
  // From the end to the start: what is sound behind a damaged place is out of the file already when
  // the next one is seen to.
  for (const damage of [...damages].reverse()) await cutOut(home, damage);
  await beginAnew(home, end);
}

/** Before the headers go that prove it: how far offsets were given. */
async function noteEnd(home: SegmentHome, end: number): Promise<void> {
  const { storage, directory } = home;
  const start = (await baseOffsetsIn(home))[0] ?? end;
  const before = await readCheckpoint(storage, directory);
  const blank = { logStart: start, recoveryPoint: start, segment: start, position: 0, lastAppendTime: 0 };
  const checkpoint = before ?? { ...blank, producers: [], gaps: [] };
  await storage.makeDirectory(directory);
  await writeCheckpoint(storage, directory, {
    ...checkpoint,
    expectedEnd: Math.max(end, checkpoint.expectedEnd ?? 0, checkpoint.recoveryPoint),
  });
}

/**
 * Ends a segment where its damage begins. The bytes behind are copied to other files first, the
 * damaged and the sound.
 */
async function cutOut(home: SegmentHome, { file, byte, length, nextOffset, savedAs }: RepairAction): Promise<void> {
  const segment = new Segment(home, baseOffsetOf(file));
  if (!(await baseOffsetsIn(home)).includes(segment.baseOffset)) return; // that it is missing is the damage
  const source = await segment.file();
  try {
    const end = await source.size();
    const isEmptied = byte === 0 && nextOffset !== segment.baseOffset;
    if (end === byte && !isEmptied) return;
    if (savedAs !== undefined) {
      await saveAside(home.storage, source, byte, byte + length, home.directory, basename(savedAs));
    }
    await segment.indexFile.remove();
    if (byte + length < end) {
      if (byte + length === 0 && nextOffset === segment.baseOffset) return; // what was before it is missing, and nothing else
      await moveRest(home, source, byte + length, end, nextOffset!);
      if (nextOffset === segment.baseOffset) return; // it took the place of this one
    }
    if (isEmptied) {
      await segment.remove(); // an empty file tells nothing
      await home.storage.syncDirectory(home.directory);
      return;
    }
    await segment.replace(byte); // a snapshot may have the file too
  } finally {
    await segment.close();
  }
}

/** A new segment with what is sound behind a damaged place: there as a whole, or not at all. */
async function moveRest(
  home: SegmentHome,
  source: StorageFile,
  position: number,
  end: number,
  baseOffset: number,
): Promise<void> {
  const copy = (rest: StorageFile) => copyRange(source, position, end, rest, 0);
  await replaceFile(home.storage, home.directory, logFileName(baseOffset), copy);
}

/**
 * Notes what is lost, and where the log goes on: at `end` at least. Everything that is left is
 * sound.
 */
async function beginAnew(home: SegmentHome, end: number): Promise<void> {
  const { storage, directory, limits } = home;
  const before = await readCheckpoint(storage, directory);
  const baseOffsets = await baseOffsetsIn(home);
  const start = baseOffsets[0] ?? end;
  // What is remembered of records that were deleted is nowhere else.
  const old = before?.producers.filter(([, , , batches]) => batches.every(([, , offset]) => offset < start));
  const producers = new ProducerState(old);
  let atLast = producers.snapshot();
  let lastAppendTime = before?.lastAppendTime ?? 0;
  let nextOffset = start;
  const gaps: Gap[] = [];
  for (const baseOffset of baseOffsets) {
    if (baseOffset > nextOffset) gaps.push([nextOffset, baseOffset]);
    nextOffset = baseOffset;
    atLast = producers.snapshot();
    const segment = new Segment(home, baseOffset);
    const range = { end: await segment.size(), baseOffset, limitOffset: Number.POSITIVE_INFINITY, limits };
    for await (const step of walkSegment(await segment.file(), { ...range, mayEndInZeros: true })) {
      if ("damage" in step) throw step.damage;
      const { batch } = step;
      producers.appended(batch);
      producers.written();
      lastAppendTime = Math.max(lastAppendTime, batch.appendTime);
      nextOffset = batch.nextOffset;
    }
    await segment.close();
  }
  let last = baseOffsets.at(-1);
  if (last === undefined || nextOffset < end) {
    if (nextOffset < end) gaps.push([nextOffset, end]);
    await (await Segment.create(home, end)).close();
    last = end;
    atLast = producers.snapshot();
  }
  await writeCheckpoint(storage, directory, {
    // Where the files that the log began with are gone, it begins with those that are there.
    logStart: Math.max(before?.logStart ?? 0, start),
    recoveryPoint: last,
    segment: last,
    position: 0,
    lastAppendTime,
    producers: atLast,
    gaps,
    expectedEnd: Math.max(nextOffset, end),
  });
}

async function baseOffsetsIn({ storage, directory }: SegmentHome): Promise<number[]> {
  return baseOffsetsOf((await storage.list(directory)) ?? []);
}

/** Of the segment that a path in an action names. */
function baseOffsetOf(file: string): number {
  return parseLogFileName(basename(file))!;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
