/** What recovery does to the end of a log: cuts what a crash tore, and writes back the rest. */
import { tornFileName } from "../../files/file-names.js";
import type { SegmentHome } from "../../segment/segment.js";
import { writeNewFile } from "../../storage/atomic-file.js";
import { copyRange } from "../../storage/copy-range.js";
import type { Storage, StorageFile } from "../../storage/storage.js";
import type { SurveyedSegment } from "./log-survey.js";

/**
 * What a crash left of an append that was not acknowledged, saved beside the log before it was cut.
 */
export interface TornTail {
  /** Segment file that was cut. */
  readonly file: string;
  /** Where it was cut. */
  readonly byte: number;
  /** Bytes that were cut from it. */
  readonly length: number;
  /** File that holds these bytes now; undefined where there were none. */
  readonly savedAs: string | undefined;
  /** What became of the segments behind it, which were set aside as a whole. */
  readonly laterSavedAs: readonly string[];
}

/**
 * Whole segments are renamed, the newest first: whatever a crash leaves of this is a torn tail
 * again. Then the copy of what is cut, durable; then the cut, durable.
 */
export async function cutTornTail(
  { storage, directory }: SegmentHome,
  partition: number,
  { segment, size, soundBytes, later }: SurveyedSegment,
): Promise<TornTail> {
  const id = storage.randomHex(4);
  const laterSavedAs: string[] = [];
  if (later.length > 0) await segment.replace(size); // it was finished, and goes on: a snapshot may have its file too
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

/** Copies part of a file to one beside it, durably. */
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
 * Writes what was read from a file to where it was read from. After a failed sync, a system may
 * still show what never reached the disk, and take it for clean: a further sync would not write it.
 */
export function writeBack(file: StorageFile, position: number, end: number): Promise<void> {
  return copyRange(file, position, end, file, position);
}
