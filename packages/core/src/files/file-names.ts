/**
 * The names in a log store's directory, except for the lock's (storage/lock-names.ts) and for
 * temporary files (storage/atomic-file.ts). docs/format/directory.md shows all of them together.
 */
import { isLockName } from "../storage/lock-names.js";

export const STORE_FILE = "store.json";
/** Makes a directory a broker's data directory. */
export const BROKER_FILE = "broker.json";
/** Next to the store file, if the store is a broker's topic. */
export const TOPIC_FILE = "topic.json";
/** Next to both of them, if the store is a snapshot of a topic. */
export const SNAPSHOT_FILE = "snapshot.json";
export const WATERMARKS_FILE = "watermarks";
export const CHECKPOINT_FILE = "checkpoint";

const LOG_SUFFIX = ".log";
const INDEX_SUFFIX = ".index";
const START_SUFFIX = ".start";
const VOLUME_NAMES: ReadonlySet<string> = new Set([
  "lost+found",
  ".Trashes",
  ".fseventsd",
  ".Spotlight-V100",
  "$RECYCLE.BIN",
  "System Volume Information",
]);
const SEGMENT_NAME = /^(\d{20})\.log$/;

export function partitionDirectory(partition: number): string {
  return String(partition);
}

/** Twenty digits, so that names sort like offsets. */
function segmentName(baseOffset: number): string {
  return String(baseOffset).padStart(20, "0");
}

export function logFileName(baseOffset: number): string {
  return segmentName(baseOffset) + LOG_SUFFIX;
}

export function indexFileName(baseOffset: number): string {
  return segmentName(baseOffset) + INDEX_SUFFIX;
}

/** Bytes that recovery truncated from the end of a segment, kept next to it. */
export function tornFileName(baseOffset: number, position: number, id: string): string {
  return `${segmentName(baseOffset)}.${position}.${id}.torn`;
}

/** Bytes that a repair removed from a segment, kept next to it. */
export function damagedFileName(baseOffset: number, position: number, id: string): string {
  return `${segmentName(baseOffset)}.${position}.${id}.damaged`;
}

/**
 * The remains of a lock, and what systems create on a fresh volume: a directory with nothing else
 * counts as empty.
 */
export function isOfTheSystem(name: string): boolean {
  return isLockName(name) || VOLUME_NAMES.has(name);
}

/**
 * An empty file, or a former index, whose name contains the log start offset of a partition; see
 * docs/format/directory.md.
 */
export function startFileName(logStart: number): string {
  return segmentName(logStart) + START_SUFFIX;
}

/** The log start offset in a name; undefined for any other name. */
export function parseStartFileName(name: string): number | undefined {
  const logStart = name.endsWith(START_SUFFIX) ? parseLogFileName(name.replace(START_SUFFIX, LOG_SUFFIX)) : undefined;
  return logStart;
}

/** The base offset in the name of a log file; undefined for any other name. */
export function parseLogFileName(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  const baseOffset = digits === undefined ? undefined : Number(digits);
  return Number.isSafeInteger(baseOffset) ? baseOffset : undefined;
}

/** The base offsets of a directory's segments, in ascending order. */
export function baseOffsetsOf(names: readonly string[]): number[] {
  return names
    .map(parseLogFileName)
    .filter((offset) => offset !== undefined)
    .sort((a, b) => a - b);
}
