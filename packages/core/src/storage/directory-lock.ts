/**
 * Ensures one writer per directory, without a native add-on, across all namespaces of one kernel.
 * The algorithm is in docs/format/directory.md, "One writer". This file has what its
 * platform-specific variants share: the file `lock`, which names the owner for error messages.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LockedError, StorageFailedError } from "@logstore/codec";
import { isDiskFull } from "./disk-trouble.js";
import { exclusiveFlag, lockByExclusiveFile } from "./exclusive-file-lock.js";
import { checkFileSystem } from "./file-system.js";
import { LOCK_FILE } from "./lock-names.js";
import { FILE_MODE } from "./modes.js";
import { runAll } from "./run-all.js";
import { lockBySocket } from "./socket-lock.js";
import type { Lock } from "./storage.js";

export async function lockDirectory(directory: string): Promise<Lock> {
  await checkFileSystem(directory);
  const flag = exclusiveFlag();
  const lockFile = join(directory, LOCK_FILE);
  const lock = flag === undefined ? await lockBySocket(directory) : await lockByExclusiveFile(lockFile, flag);
  if (lock === undefined) throw await locked(directory, lockFile);
  const removeLockFile = async () => {
    if (flag === undefined && lock.isHeld()) await rm(lockFile, { force: true });
  };
  try {
    if (flag === undefined) await writeFile(lockFile, `${process.pid}\n`, { mode: FILE_MODE });
  } catch (error) {
    // On a full disk the lock file stays empty, and the error of another process names no owner.
    // The owner must be able to start all the same, because only it can delete records to free
    // space.
    if (!isDiskFull(error)) {
      await lock.release().catch(() => {});
      throw error;
    }
  }
  return {
    check() {
      if (!lock.isHeld()) throw lost(directory);
    },
    release: () => runAll(removeLockFile, () => lock.release()),
  };
}

async function locked(directory: string, lockFile: string): Promise<LockedError> {
  const owner = await readFile(lockFile, "utf8").catch(() => "");
  const who = owner.trim() === "" ? "another writer" : `process ${owner.trim()}`;
  return new LockedError(`${directory} is open for writing by ${who}: close it there first`, { file: LOCK_FILE });
}

function lost(directory: string): StorageFailedError {
  return new StorageFailedError(
    `${directory} is not the directory that was opened any more, or its lock was removed: it was deleted, unmounted or replaced, or another process writes to it; nothing more is written or acknowledged: see to the directory, then open it again`,
    { file: LOCK_FILE },
  );
}
