/**
 * The lock on macOS, BSD and Windows: a file that is opened with the system's exclusive lock.
 * docs/format/directory.md.
 */
import { constants, fstatSync, lstatSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { KernelLock } from "./kernel-lock.js";
import { FILE_MODE } from "./modes.js";
import { runAll } from "./run-all.js";

/**
 * libuv's UV_FS_O_EXLOCK: on Windows no sharing, else O_EXLOCK, which is flock(2) at once with the
 * opening. Node does not name it.
 */
const EXCLUSIVE_FLAGS: Partial<Record<NodeJS.Platform, number>> = {
  darwin: 0x20,
  freebsd: 0x20,
  openbsd: 0x20,
  netbsd: 0x20,
  win32: 0x1000_0000,
};
/** Somebody else has it. */
const TAKEN = new Set(["EAGAIN", "EWOULDBLOCK", "EBUSY"]);
/** Each time, its owner let go of it, and removed it, just between the opening and a look at it. */
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
    await file.close(); // a file that was removed meanwhile
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
  // Windows does not remove what is open; there another process may have it by the time that it is
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
