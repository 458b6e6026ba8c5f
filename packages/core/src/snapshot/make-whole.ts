/** Creates a directory atomically: after a crash it is complete or does not exist. */
import { SnapshotExistsError } from "@logstore/codec";
import { makeAside } from "../storage/atomic-directory.js";
import { codeOf } from "../storage/io-trouble.js";
import type { Storage } from "../storage/storage.js";
import { storageError } from "../storage/storage-error.js";

/** The target exists and is not empty. */
const TAKEN: ReadonlySet<string> = new Set(["EEXIST", "ENOTEMPTY", "ENOTDIR"]);

/**
 * @param fill fills a directory under a temporary name, which is unique to this call because
 * another process may be creating the same directory. A crash leaves it behind.
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
    filled = await makeAside(storage, unfinished, directory, fill);
  } catch (error) {
    if (TAKEN.has(codeOf(error)) && (await storage.list(directory).catch(() => undefined))?.length) {
      throw isThere(directory);
    }
    throw error;
  }
  try {
    await storage.makeDirectory(directory); // it exists already: this only makes its name durable
  } catch (cause) {
    throw storageError(cause, `${directory} was made, but may be gone after a power cut: remove it and make it again`);
  }
  return filled;
}

function isThere(directory: string): SnapshotExistsError {
  return new SnapshotExistsError(`${directory} is there already: name a directory that is not`);
}
