/** A directory that is there as a whole or not at all, whatever crashes. */
import { SnapshotExistsError } from "@logstore/codec";
import { codeOf } from "../storage/io-trouble.js";
import type { Storage } from "../storage/storage.js";
import { storageError } from "../storage/storage-error.js";

/** Where something is that is not empty. */
const TAKEN: ReadonlySet<string> = new Set(["EEXIST", "ENOTEMPTY", "ENOTDIR"]);

/**
 * @param fill makes the directory under another name, which no other call uses: another process may
 * be making the same one. A crash leaves it.
 */
export async function makeWhole<T>(
  storage: Storage,
  directory: string,
  fill: (unfinished: string) => Promise<T>,
): Promise<T> {
  if ((await storage.list(directory)) !== undefined) throw isThere(directory);
  const unfinished = `${directory}.${storage.randomHex(16)}.new`;
  await storage.makeParents(directory);
  let filled: T;
  try {
    filled = await fill(unfinished);
    await storage.rename(unfinished, directory);
  } catch (error) {
    await storage.removeDirectory(unfinished).catch(() => {});
    if (TAKEN.has(codeOf(error)) && (await storage.list(directory).catch(() => undefined))?.length) {
      throw isThere(directory);
    }
    throw error;
  }
  try {
    await storage.makeDirectory(directory); // it is there: its name is made durable
  } catch (cause) {
    throw storageError(cause, `${directory} was made, but may be gone after a power cut: remove it and make it again`);
  }
  return filled;
}

function isThere(directory: string): SnapshotExistsError {
  return new SnapshotExistsError(`${directory} is there already: name a directory that is not`);
}
