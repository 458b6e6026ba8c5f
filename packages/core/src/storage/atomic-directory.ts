/**
 * Directories that are created and removed atomically: after a crash each is complete or absent.
 */
import type { Storage } from "./storage.js";

/**
 * Creates a directory under a temporary name, then renames it. If that fails, nothing is left,
 * unless the temporary directory cannot be removed: the next open removes it. The new name is for
 * the caller to sync.
 */
export async function makeAside<T>(
  storage: Storage,
  unfinished: string,
  directory: string,
  fill: (unfinished: string) => Promise<T>,
): Promise<T> {
  try {
    const filled = await fill(unfinished);
    await storage.rename(unfinished, directory);
    return filled;
  } catch (error) {
    await storage.removeDirectory(unfinished).catch(() => {});
    throw error;
  }
}

/**
 * Removes a directory: renames it, syncs the names, then removes its files. While the new name may
 * be lost in a power failure, the files stay: the directory may be back, and is complete then. If
 * they cannot be removed, the next open removes them.
 *
 * @param syncNames makes the rename durable
 */
export async function removeAside(
  storage: Storage,
  directory: string,
  deleted: string,
  syncNames: () => Promise<void>,
): Promise<void> {
  await storage.rename(directory, deleted);
  await syncNames();
  await storage.removeDirectory(deleted).catch(() => {});
}
