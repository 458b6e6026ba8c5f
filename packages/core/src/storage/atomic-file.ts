/** Small files that are replaced as a whole: after a crash there is the old content or the new one, never a mixture. */
import { TEMPORARY_SUFFIX } from "../files/file-names.js";
import type { Storage } from "./storage.js";

/** Writes beside, syncs, renames over, and syncs the directory. */
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
  await storage.syncDirectory(directory);
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
