/**
 * A partition's `checkpoint`: how far its log is known to be sound, and what was remembered of its
 * producers there. Recovery starts at it, and it is a witness: what it says was durable must be
 * there. Without it the log is read from its start.
 */
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { decodeCheckedJson, encodeCheckedJson } from "./checked-json.js";
import { CHECKPOINT_FILE, parseStartFileName, startFileName } from "./file-names.js";

const CHECKPOINT_FORMAT_VERSION = 1;

export interface Checkpoint {
  /** The first offset that there is: records before it are deleted, if their files are not yet. */
  readonly logStart: number;
  /** Every offset below this one is durable. */
  readonly recoveryPoint: number;
  /** Base offset of the segment that the recovery point lies in. */
  readonly segment: number;
  /** Byte in that segment at which the batch of the recovery point begins, or will. */
  readonly position: number;
  /** Append time of the last batch before it, ms since the epoch. */
  readonly lastAppendTime: number;
  readonly producers: readonly ProducerSnapshot[];
  /** Offsets that were lost and are known to be. */
  readonly gaps: readonly Gap[];
  /**
   * The log must reach this offset, which was given before it was repaired. Undefined: the recovery
   * point.
   */
  readonly expectedEnd?: number | undefined;
}

/** The first offset that is missing, and the first that is there again. */
export type Gap = readonly [from: number, to: number];

/**
 * Whether it is known that nothing is left from `offset` on, up to where the next segment begins.
 */
export function isGap(gaps: readonly Gap[], offset: number, nextBaseOffset: number): boolean {
  return gaps.some(([from, to]) => from <= offset && offset < to && to === nextBaseOffset);
}

/**
 * What is remembered of a producer: id, epoch, next sequence, and base sequence, record count and
 * base offset of each of its last batches.
 */
export type ProducerSnapshot = [number, number, number, [number, number, number][]];

export function writeCheckpoint(storage: Storage, directory: string, checkpoint: Checkpoint): Promise<void> {
  const content = encodeCheckedJson({ formatVersion: CHECKPOINT_FORMAT_VERSION, ...checkpoint });
  return writeFileAtomically(storage, directory, CHECKPOINT_FILE, content);
}

/**
 * Undefined where there is none, or none that can be believed. A start file may have moved the log
 * start since.
 */
export async function readCheckpoint(storage: Storage, directory: string): Promise<Checkpoint | undefined> {
  const content = await readWholeFile(storage, `${directory}/${CHECKPOINT_FILE}`);
  const parsed = content && (decodeCheckedJson(content) as (Checkpoint & { formatVersion: number }) | undefined);
  if (parsed?.formatVersion !== CHECKPOINT_FORMAT_VERSION) return undefined;
  const moved = startFilesIn((await storage.list(directory)) ?? []).map((name) => parseStartFileName(name)!);
  return { ...parsed, logStart: Math.max(parsed.logStart, ...moved) };
}

/**
 * Moves the log start where no checkpoint can be written, as on a full disk: a name alone says it,
 * and takes no room. The old index becomes that name, for even an empty file may not be had.
 *
 * @param index of a segment that lies before the new start; it may be missing
 */
export async function markLogStart(
  storage: Storage,
  directory: string,
  logStart: number,
  index: string,
): Promise<void> {
  const path = `${directory}/${startFileName(logStart)}`;
  try {
    await storage.rename(index, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await (await storage.createFile(path)).close();
  }
  await storage.syncDirectory(directory);
}

export function startFilesIn(names: readonly string[]): string[] {
  return names.filter((name) => parseStartFileName(name) !== undefined);
}
