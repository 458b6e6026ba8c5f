/**
 * A partition's `checkpoint`: the offset up to which its log is known to be intact, and the
 * producer state at that point. Recovery starts there. The checkpoint also proves what was durable:
 * if records below its recovery point are missing, the log is damaged. Without it the log is read
 * from the start.
 */
import type { ProducerSnapshot } from "../engine/append/producer-state.js";
import type { Gap } from "../engine/partition-log.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { decodeCheckedJson, encodeCheckedJson } from "./checked-json.js";
import { CHECKPOINT_FILE, parseStartFileName, startFileName } from "./file-names.js";

export type { Gap };

const CHECKPOINT_FORMAT_VERSION = 1;

export interface Checkpoint {
  /** The log start offset. Records before it are deleted, even if their files still exist. */
  readonly logStart: number;
  /** Every record below this offset is durable. */
  readonly recoveryPoint: number;
  /** Base offset of the segment that contains the recovery point. */
  readonly segment: number;
  /** Byte position in that segment of the batch at the recovery point, which may not exist yet. */
  readonly position: number;
  /** Append time of the last batch before it, in ms since the epoch. */
  readonly lastAppendTime: number;
  readonly producers: readonly ProducerSnapshot[];
  /** Known gaps: offsets whose records were lost. */
  readonly gaps: readonly Gap[];
  /**
   * The log end offset before a repair, which the log must not fall below. Undefined: the recovery
   * point.
   */
  readonly expectedEnd?: number | undefined;
}

/** Whether a known gap reaches from `offset` to the beginning of the next segment. */
export function isGap(gaps: readonly Gap[], offset: number, nextBaseOffset: number): boolean {
  return gaps.some(([from, to]) => from <= offset && offset < to && to === nextBaseOffset);
}

export function writeCheckpoint(storage: Storage, directory: string, checkpoint: Checkpoint): Promise<void> {
  const content = encodeCheckedJson({ formatVersion: CHECKPOINT_FORMAT_VERSION, ...checkpoint });
  return writeFileAtomically(storage, directory, CHECKPOINT_FILE, content);
}

/**
 * Returns undefined if there is no checkpoint, or it is damaged. A start file may have advanced the
 * log start since it was written.
 *
 * @param names the names in the directory, unless they may have changed since they were listed
 */
export async function readCheckpoint(
  storage: Storage,
  directory: string,
  names?: readonly string[],
): Promise<Checkpoint | undefined> {
  const content = await readWholeFile(storage, `${directory}/${CHECKPOINT_FILE}`);
  const parsed = content && (decodeCheckedJson(content) as (Checkpoint & { formatVersion: number }) | undefined);
  if (parsed?.formatVersion !== CHECKPOINT_FORMAT_VERSION) return undefined;
  const moved = startFilesIn(names ?? (await storage.list(directory)) ?? []).map((name) => parseStartFileName(name)!);
  return { ...parsed, logStart: Math.max(parsed.logStart, ...moved) };
}

/**
 * Advances the log start when no checkpoint can be written, for example on a full disk: the new
 * offset is stored in a file name, which needs no space. An old index is renamed to it, because
 * even creating an empty file may fail.
 *
 * @param index the index of a segment before the new start; it may not exist
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
