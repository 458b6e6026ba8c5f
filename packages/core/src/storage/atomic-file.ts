/**
 * Small files that are replaced atomically: after a crash a file has either its old or its new
 * content.
 */
import { reasonOf } from "./io-trouble.js";
import type { Storage, StorageFile } from "./storage.js";

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
 * Replaces a file: writes a temporary file, syncs it, renames it over the target and syncs the
 * directory.
 *
 * @param fill writes the content
 * @param ready awaited before the rename
 * @throws ReplacedNotDurableError if the last step failed; after any other error the old content is
 * in place
 */
export async function replaceFile<T>(
  storage: Storage,
  directory: string,
  name: string,
  fill: (file: StorageFile) => Promise<T>,
  ready?: () => Promise<void>,
): Promise<T> {
  const temporary = `${directory}/${name}${TEMPORARY_SUFFIX}`;
  const filled = await writeNewFile(storage, temporary, fill);
  await ready?.();
  await storage.rename(temporary, `${directory}/${name}`);
  try {
    await storage.syncDirectory(directory);
  } catch (cause) {
    throw new ReplacedNotDurableError(`${directory}/${name}`, cause);
  }
  return filled;
}

/** {@link replaceFile} with content that is at hand. */
export function writeFileAtomically(
  storage: Storage,
  directory: string,
  name: string,
  content: Uint8Array,
): Promise<void> {
  return replaceFile(storage, directory, name, (file) => file.write([content], 0));
}

/** Creates a file, and makes its content durable. Its name is for the caller to sync. */
export async function writeNewFile<T>(
  storage: Storage,
  path: string,
  fill: (file: StorageFile) => Promise<T>,
): Promise<T> {
  const file = await storage.createFile(path);
  try {
    const filled = await fill(file);
    await file.sync();
    return filled;
  } finally {
    await file.close();
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
