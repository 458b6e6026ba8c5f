/**
 * Makes a damaged partition usable again, without assigning an offset twice or discarding any byte.
 * Copies the damaged part to a separate file, moves the valid part after it to a segment of its
 * own, ends the damaged segment where the damage begins, and writes the lost offsets to the
 * checkpoint. It can be interrupted at any point and repeated.
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

/** An action of a repair, or of a dry run. */
export interface RepairAction extends Omit<VerifyFinding, "type"> {
  /** Number of lost offsets, starting at `offset`. */
  readonly lostRecords: number;
  /** The file to which the damaged bytes are copied; undefined if there are none. */
  readonly savedAs: string | undefined;
}

/** @param logEnd where a log continues after damage at its end */
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
  // From the end to the start: the valid part after each damage has been moved out of the file
  // before the previous damage is handled.
  for (const damage of [...damages].reverse()) await cutOut(home, damage);
  await beginAnew(home, end);
}

/** Records the highest assigned offset before the headers that prove it are removed. */
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
 * Ends a segment where its damage begins. The bytes after that, damaged and valid, are first copied
 * to other files.
 */
async function cutOut(home: SegmentHome, { file, byte, length, nextOffset, savedAs }: RepairAction): Promise<void> {
  const segment = new Segment(home, baseOffsetOf(file));
  if (!(await baseOffsetsIn(home)).includes(segment.baseOffset)) return; // a missing segment is the damage itself
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
      if (byte + length === 0 && nextOffset === segment.baseOffset) return; // only what was before it is missing
      await moveRest(home, source, byte + length, end, nextOffset!);
      if (nextOffset === segment.baseOffset) return; // it replaced this one
    }
    if (isEmptied) {
      await segment.remove(); // an empty file has no meaning
      await home.storage.syncDirectory(home.directory);
      return;
    }
    await segment.replace(byte); // a snapshot may share the file
  } finally {
    await segment.close();
  }
}

/** Creates a new segment from the valid part after damage, atomically. */
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
 * Writes a checkpoint with the lost offsets and the new end of the log, which is at least `end`.
 * Everything that remains is valid.
 */
async function beginAnew(home: SegmentHome, end: number): Promise<void> {
  const { storage, directory, limits } = home;
  const before = await readCheckpoint(storage, directory);
  const baseOffsets = await baseOffsetsIn(home);
  const start = baseOffsets[0] ?? end;
  // The producer state of deleted records exists nowhere else.
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
    // If the first files of the log are missing, it begins with the remaining ones.
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

/** The base offset of the segment in an action's path. */
function baseOffsetOf(file: string): number {
  return parseLogFileName(basename(file))!;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
