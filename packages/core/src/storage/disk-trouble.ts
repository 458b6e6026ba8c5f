/**
 * Classifies system errors: those that make files unreadable or unwritable, and therefore fail only
 * what is stored in these files.
 */
import { codeOf } from "./io-trouble.js";

/**
 * Errors of the disk, the file system or its permissions. Not a lack of file descriptors, which
 * concerns the whole process.
 */
const TROUBLE = new Set([
  "EACCES",
  "EBADMSG",
  "EIO",
  "EISDIR",
  "ELOOP",
  "ENODEV",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
  "EREMOTEIO",
  "EROFS",
  "ESTALE",
  "EUCLEAN",
]);

const FULL = new Set(["EDQUOT", "ENOSPC"]);

export function isDiskTrouble(error: unknown): boolean {
  return TROUBLE.has(codeOf(error));
}

export function isDiskFull(error: unknown): boolean {
  return FULL.has(codeOf(error));
}
