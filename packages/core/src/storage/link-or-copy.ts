/** Puts a file at a second path: as a hard link if the system supports it, otherwise as a copy. */
import { writeNewFile } from "./atomic-file.js";
import { copyRange } from "./copy-range.js";
import type { Storage } from "./storage.js";

/**
 * The target is on another file system, or one without hard links, or links are forbidden or
 * exhausted.
 */
const CANNOT_LINK = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** The file must be durable and never change again. The caller syncs the new name. */
export async function linkOrCopy(storage: Storage, from: string, to: string): Promise<void> {
  try {
    await storage.link(from, to);
  } catch (error) {
    if (!CANNOT_LINK.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await copyFile(storage, from, to);
  }
}

/** Like {@link linkOrCopy}, but a missing file is no error. */
export async function linkIfThere(storage: Storage, from: string, to: string): Promise<void> {
  await linkOrCopy(storage, from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** @param length number of bytes to copy; default: all */
export async function copyFile(storage: Storage, from: string, to: string, length?: number): Promise<void> {
  const source = await storage.openFile(from, "read");
  try {
    const end = length ?? (await source.size());
    await writeNewFile(storage, to, (copy) => copyRange(source, 0, end, copy, 0));
  } finally {
    await source.close();
  }
}
