/**
 * Errors with the codes and messages of the operating system, and one for a machine that has
 * stopped.
 */

const messages = {
  EBADF: "bad file descriptor",
  EEXIST: "file already exists",
  EIO: "i/o error",
  EISDIR: "illegal operation on a directory",
  EMFILE: "too many open files",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
} as const;

export type DiskErrorCode = keyof typeof messages;

export function diskError(code: DiskErrorCode, path: string): Error {
  return Object.assign(new Error(`${code}: ${messages[code]}, '${path}'`), { code, path });
}

/** The error of every call to a disk after its machine has lost power or its process was killed. */
export class MachineStoppedError extends Error {
  readonly code = "MACHINE_STOPPED";

  constructor() {
    super("the machine has stopped: nothing of this call was heard of again");
    this.name = "MachineStoppedError";
  }
}
