/**
 * Small files that are replaced atomically: after a crash a file has either its old or its new
 * content.
 */
import { reasonOf } from "./io-trouble.js";
import type { Storage } from "./storage.js";

/**
 * Suffix of a new file that has not yet been renamed over the old one. Such files are removed when
 * a store is opened.
 */
export const TEMPORARY_SUFFIX = ".tmp";

/**
 * The new content is in place, but a power failure may still undo it: which content is on disk is
 * unknown.
 */
export class ReplacedNotDurableError extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path} was replaced, and that could not be made durable (${reasonOf(cause)})`, { cause });
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== undefined) Object.assign(this, { code });
  }
}

/**
 * Writes a temporary file, syncs it, renames it over the target and syncs the directory.
 *
 * @throws ReplacedNotDurableError if the last step failed; after any other error the old content is
 * in place
 */
export async function writeFileAtomically(
  storage: Storage,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  const temporary = `${directory}/${name}${TEMPORARY_SUFFIX}`;
  const file = await storage.createFile(temporary);
  try {
    await file.write([content], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await storage.rename(temporary, `${directory}/${name}`);
  try {
    await storage.syncDirectory(directory);
  } catch (cause) {
    throw new ReplacedNotDurableError(`${directory}/${name}`, cause);
  }
}

/** Reads the whole file; undefined if it does not exist. */
export async function readWholeFile(storage: Storage, path: string): Promise<Uint8Array | undefined> {
  let file: Awaited<ReturnType<Storage["openFile"]>>;
  try {
    file = await storage.openFile(path, "read");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
  try {
    const content = Buffer.allocUnsafe(await file.size());
    return content.subarray(0, await file.read(content, 0));
  } finally {
    await file.close();
  }
}
