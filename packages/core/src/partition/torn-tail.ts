/** What recovery does to the end of a log: cuts what a crash tore, and writes back the rest. */
import { tornFileName } from "../files/file-names.js";
import type { Segment, SegmentHome } from "../segment/segment.js";
import type { Storage, StorageFile } from "../storage/storage.js";

export interface TornTail {
  /** Segment file that was cut. */
  readonly file: string;
  /** Where it was cut. */
  readonly byte: number;
  readonly length: number;
  /** File that holds the bytes now. */
  readonly savedAs: string;
}

const CHUNK_BYTES = 1024 * 1024;

/** First the copy, durable; then the cut, durable. */
export async function cutTornTail(
  { storage, directory }: SegmentHome,
  partition: number,
  segment: Segment,
  position: number,
  size: number,
): Promise<TornTail> {
  const file = await segment.file();
  const savedAs = tornFileName(segment.baseOffset, position, storage.randomHex(4));
  await saveAside(storage, file, position, size, directory, savedAs);
  await file.truncate(position);
  await file.sync();
  return {
    file: `${partition}/${segment.name}`,
    byte: position,
    length: size - position,
    savedAs: `${partition}/${savedAs}`,
  };
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
  const saved = await storage.createFile(`${directory}/${name}`);
  try {
    await copyRange(file, position, end, saved, 0);
    await saved.sync();
  } finally {
    await saved.close();
  }
  await storage.syncDirectory(directory);
}

/**
 * Writes what was read from a file to where it was read from. After a failed sync, a system may still show what never reached
 * the disk, and take it for clean: a further sync would not write it.
 */
export function writeBack(file: StorageFile, position: number, end: number): Promise<void> {
  return copyRange(file, position, end, file, position);
}

/** Copies bytes of one file to a place in another, or the same. */
export async function copyRange(
  from: StorageFile,
  start: number,
  end: number,
  to: StorageFile,
  toStart: number,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - start));
  for (let at = start; at < end; ) {
    const read = await from.read(buffer.subarray(0, Math.min(buffer.length, end - at)), at);
    if (read === 0) return;
    await to.write([buffer.subarray(0, read)], toStart + at - start);
    at += read;
  }
}
