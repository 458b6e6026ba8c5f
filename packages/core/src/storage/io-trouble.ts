/**
 * Context of failed system calls. The error of a call on a descriptor names neither the file nor
 * the purpose. The file pool knows both and records them here, next to the error, which stays
 * unchanged.
 */

export interface Attempt {
  /** The operation, such as "reading" or "writing to"; messages put it before the file's name. */
  readonly doing: string;
  /** Relative to the directory of the store or broker if the file is inside it. */
  readonly file: string;
}

const attempts = new WeakMap<Error, Attempt>();

/** Records the context of an error; only the first one counts. */
export function noteAttempt(error: unknown, doing: string, file: string): void {
  if (error instanceof Error && !attempts.has(error)) attempts.set(error, { doing, file });
}

/**
 * Returns the context of the error or of its cause; undefined if it is not from a file operation.
 */
export function attemptOf(error: unknown): Attempt | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const attempt = attempts.get(each);
    if (attempt !== undefined) return attempt;
  }
  return undefined;
}

/**
 * Describes the failure: "reading topics/0a/0000/00.log failed (EIO: i/o error, read)", or the
 * error's own message if it is not from a file operation.
 */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const attempt = attemptOf(error);
  return attempt === undefined ? message : `${attempt.doing} ${attempt.file} failed (${message})`;
}

/** Advice on a system error, for its message. */
export function adviceOf(error: unknown): string {
  return ADVICE.get(codeOf(error)) ?? "see to the disk, then open the store again";
}

export function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code);
}

const permission = "give this process's user read and write access to it, then open the store again";
const full = "make room (bytes or inodes): delete old records, or move other files away; then open the store again";
const failing =
  "the device or file system fails: see the kernel's log, mend or replace it, then open the store again and verify it";
const descriptors = "raise the limit of open files (ulimit -n, LimitNOFILE=), or lower maxOpenFiles";

const ADVICE: ReadonlyMap<string, string> = new Map([
  ["EACCES", permission],
  ["EPERM", permission],
  ["EDQUOT", full],
  ["ENOSPC", full],
  ["EBADMSG", failing],
  ["EIO", failing],
  ["ENODEV", failing],
  ["ENXIO", failing],
  ["EREMOTEIO", failing],
  ["EUCLEAN", failing],
  ["EMFILE", descriptors],
  ["ENFILE", descriptors],
  ["ENOENT", "it was removed by somebody else: restore it from a copy, then open the store again"],
  [
    "EROFS",
    "the file system is mounted read-only: see the kernel's log for why, and remount it; then open the store again",
  ],
  ["ESTALE", "the network file system lost it: remount it, then open the store again"],
]);
