/**
 * Which errors of the system say that files cannot be read or written, and cost no more than these
 * files.
 */
import { codeOf } from "./io-trouble.js";

/**
 * The disk, the file system or its permissions stand in the way; not a lack of descriptors, which
 * is the whole process's.
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
