/** A directory that is there as a whole or not at all, whatever crashes. */
import { SnapshotExistsError } from "@logstore/codec";
import type { Storage } from "../storage/storage.js";

/** @param fill makes the directory under another name; what a crash left of that is removed first */
export async function makeWhole<T>(
  storage: Storage,
  directory: string,
  fill: (unfinished: string) => Promise<T>,
): Promise<T> {
  if ((await storage.list(directory)) !== undefined) {
    throw new SnapshotExistsError(`${directory} is there already: name a directory that is not`);
  }
  const unfinished = `${directory}.new`;
  await storage.removeDirectory(unfinished);
  await storage.makeParents(directory);
  try {
    const filled = await fill(unfinished);
    await storage.rename(unfinished, directory);
    await storage.makeDirectory(directory); // it is there: its name is made durable
    return filled;
  } catch (error) {
    await storage.removeDirectory(unfinished).catch(() => {});
    throw error;
  }
}
