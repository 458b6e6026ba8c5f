/** Finds the files of the Go LogStore in a directory. Other files are ignored. */
import { NotALogStoreError } from "@logstore/codec";
import type { Storage } from "../storage/storage.js";
import { FileWindow } from "./file-window.js";

export interface BilogFile {
  readonly path: string;
  readonly name: string;
  readonly partition: number;
  /** Length of the file when it was listed. */
  readonly bytes: number;
}

const NAME = /^(0|[1-9]\d{0,5})\.bilog$/;

/**
 * Lists the files by partition, in ascending order; numbers may be missing.
 *
 * @throws NotALogStoreError if there is none
 */
export async function listBilogFiles(storage: Storage, directory: string): Promise<BilogFile[]> {
  const files: BilogFile[] = [];
  for (const name of (await storage.list(directory)) ?? []) {
    const number = NAME.exec(name)?.[1];
    if (number === undefined) continue;
    const path = `${directory}/${name}`;
    const bytes = await withWindow(storage, path, async ({ size }) => size);
    files.push({ path, name, partition: Number(number), bytes });
  }
  if (files.length > 0) return files.sort((a, b) => a.partition - b.partition);
  throw new NotALogStoreError(
    `${directory} holds no 0.bilog, 1.bilog, …: name the directory that does (a Go program that was given a path ` +
      `without "/" at its end put them beside it, under longer names: rename those)`,
  );
}

/** Opens a file for reading and closes it after `work`. */
export async function withWindow<T>(
  storage: Storage,
  path: string,
  work: (window: FileWindow) => Promise<T>,
): Promise<T> {
  const file = await storage.openFile(path, "read");
  try {
    return await work(await FileWindow.of(file));
  } finally {
    await file.close();
  }
}
