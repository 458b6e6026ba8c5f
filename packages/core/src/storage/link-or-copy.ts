/**
 * A file in a second place: the same file where the system can have it so, a copy of it elsewhere.
 */
import { copyRange } from "./copy-range.js";
import type { Storage } from "./storage.js";

/**
 * Another file system, one without hard links, a rule against them, or as many of this file as
 * there may be.
 */
const CANNOT_LINK = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Of a file that never changes again, and is durable. The new name is to be synced by the caller.
 */
export async function linkOrCopy(storage: Storage, from: string, to: string): Promise<void> {
  try {
    await storage.link(from, to);
  } catch (error) {
    if (!CANNOT_LINK.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await copyFile(storage, from, to);
  }
}

/** The same of a file that may not be there, nor need be. */
export async function linkIfThere(storage: Storage, from: string, to: string): Promise<void> {
  await linkOrCopy(storage, from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** @param length how much of it; default: all */
export async function copyFile(storage: Storage, from: string, to: string, length?: number): Promise<void> {
  const source = await storage.openFile(from, "read");
  try {
    const copy = await storage.createFile(to);
    try {
      await copyRange(source, 0, length ?? (await source.size()), copy, 0);
      await copy.sync();
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}
