/**
 * Small files that are replaced as a whole: after a crash there is the old content or the new one,
 * never a mixture.
 */
import { reasonOf } from "./io-trouble.js";
import type { Storage } from "./storage.js";

/** Of a file that is renamed over another one once it is durable. Opening a store removes it. */
export const TEMPORARY_SUFFIX = ".tmp";

/**
 * The new content is in place, but may be gone again after a power cut: what is on the disk is not
 * known any more.
 */
export class ReplacedNotDurableError extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path} was replaced, and that could not be made durable (${reasonOf(cause)})`, { cause });
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== undefined) Object.assign(this, { code });
  }
}

/**
 * Writes beside, syncs, renames over, and syncs the directory.
 *
 * @throws ReplacedNotDurableError where the last of these failed; after any other error the old
 * content is there
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

/** The whole content; undefined where there is no such file. */
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
