/**
 * The lock on macOS, BSD and Windows: a file opened with the system's exclusive lock. See
 * docs/format/directory.md.
 */
import { constants, fstatSync, lstatSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { KernelLock } from "./kernel-lock.js";
import { FILE_MODE } from "./modes.js";
import { runAll } from "./run-all.js";

/**
 * libuv's UV_FS_O_EXLOCK: on Windows it forbids sharing; elsewhere it is O_EXLOCK, which takes a
 * flock(2) atomically with the open. Node has no name for it.
 */
const EXCLUSIVE_FLAGS: Partial<Record<NodeJS.Platform, number>> = {
  darwin: 0x20,
  freebsd: 0x20,
  openbsd: 0x20,
  netbsd: 0x20,
  win32: 0x1000_0000,
};
/** Error codes that mean that another process has the lock. */
const TAKEN = new Set(["EAGAIN", "EWOULDBLOCK", "EBUSY"]);
/** An attempt fails if an owner releases and removes the file between open and check. */
const ATTEMPTS = 100;

export function exclusiveFlag(platform: NodeJS.Platform = process.platform): number | undefined {
  return EXCLUSIVE_FLAGS[platform];
}

export async function lockByExclusiveFile(path: string, exclusive: number): Promise<KernelLock | undefined> {
  const { O_RDWR, O_CREAT, O_NONBLOCK = 0 } = constants;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    let file: FileHandle;
    try {
      file = await open(path, O_RDWR | O_CREAT | O_NONBLOCK | exclusive, FILE_MODE);
    } catch (error) {
      if (TAKEN.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
      throw error;
    }
    const lock = heldBy(path, file);
    try {
      if (lock.isHeld()) {
        await file.truncate(0);
        await file.write(`${process.pid}\n`, 0);
        return lock;
      }
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    await file.close(); // the file was removed in the meantime
  }
  return undefined;
}

function heldBy(path: string, file: FileHandle): KernelLock {
  const { dev, ino } = fstatSync(file.fd, { bigint: true });
  const isHeld = () => {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return found?.dev === dev && found.ino === ino;
  };
  const remove = async () => {
    if (isHeld()) await rm(path, { force: true });
  };
  // Windows cannot remove an open file; there another process may have locked it by the time it is
  // closed.
  const release =
    process.platform === "win32"
      ? () =>
          runAll(
            () => file.close(),
            () => rm(path, { force: true }).catch(() => {}),
          )
      : () => runAll(remove, () => file.close());
  return { isHeld, release };
}
