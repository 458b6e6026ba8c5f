/** Repairs the end of a log after a crash: truncates a torn tail, and rewrites the rest. */
import { tornFileName } from "../../files/file-names.js";
import type { SegmentHome } from "../../segment/segment.js";
import { writeNewFile } from "../../storage/atomic-file.js";
import { copyRange } from "../../storage/copy-range.js";
import type { Storage, StorageFile } from "../../storage/storage.js";
import type { SurveyedSegment } from "./log-survey.js";

/**
 * The remains of an unacknowledged append after a crash, which were saved next to the log before it
 * was truncated.
 */
export interface TornTail {
  /** The segment file that was truncated. */
  readonly file: string;
  /** Byte position of the truncation. */
  readonly byte: number;
  /** Number of bytes truncated. */
  readonly length: number;
  /** The file that contains these bytes now; undefined if there were none. */
  readonly savedAs: string | undefined;
  /** The new names of later segments, which were set aside as a whole. */
  readonly laterSavedAs: readonly string[];
}

/**
 * Renames later segments first, newest first, so that a crash in between leaves a torn tail again.
 * Then saves a durable copy of the tail, and truncates it durably.
 */
export async function cutTornTail(
  { storage, directory }: SegmentHome,
  partition: number,
  { segment, size, soundBytes, later }: SurveyedSegment,
): Promise<TornTail> {
  const id = storage.randomHex(4);
  const laterSavedAs: string[] = [];
  if (later.length > 0) await segment.replace(size); // it was finished, and is written to again: a snapshot may share its file
  for (const other of later.toReversed()) {
    const name = tornFileName(other.baseOffset, 0, id);
    await other.close();
    await other.indexFile.remove();
    await storage.rename(other.path, `${directory}/${name}`);
    await storage.syncDirectory(directory);
    laterSavedAs.unshift(`${partition}/${name}`);
  }
  const length = size - soundBytes;
  const name = tornFileName(segment.baseOffset, soundBytes, id);
  if (length > 0) {
    const file = await segment.file();
    await saveAside(storage, file, soundBytes, size, directory, name);
    await file.truncate(soundBytes);
    await file.sync();
  }
  const savedAs = length > 0 ? `${partition}/${name}` : undefined;
  return { file: `${partition}/${segment.name}`, byte: soundBytes, length, savedAs, laterSavedAs };
}

/** Copies a part of a file to another one next to it, durably. */
export async function saveAside(
  storage: Storage,
  file: StorageFile,
  position: number,
  end: number,
  directory: string,
  name: string,
): Promise<void> {
  await writeNewFile(storage, `${directory}/${name}`, (saved) => copyRange(file, position, end, saved, 0));
  await storage.syncDirectory(directory);
}

/**
 * Writes data back to the place from which it was read. After a failed sync a system may still
 * return data that never reached the disk, and consider it clean: another sync would not write it.
 */
export function writeBack(file: StorageFile, position: number, end: number): Promise<void> {
  return copyRange(file, position, end, file, position);
}
