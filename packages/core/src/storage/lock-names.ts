/** The names that a directory's lock takes. docs/format/directory.md, "One writer". */

/** Names the owner, for error messages. */
export const LOCK_FILE = "lock";
const LOCK_NAME = /^lock\.([1-9]\d*)$/;
export const UNFINISHED_LOCK_NAME = /^lock\.~[0-9a-f]{12}$/;

/** The socket of a directory's owner; see socket-lock.ts. */
export function lockName(epoch: number): string {
  return `${LOCK_FILE}.${epoch}`;
}

/** The epoch in a lock's name; undefined for any other name. */
export function parseLockName(name: string): number | undefined {
  const digits = LOCK_NAME.exec(name)?.[1];
  const epoch = digits === undefined ? undefined : Number(digits);
  return Number.isSafeInteger(epoch) ? epoch : undefined;
}

/** The name of a lock that is being taken. */
export function unfinishedLockName(id: string): string {
  return `${LOCK_FILE}.~${id}`;
}

export function isLockName(name: string): boolean {
  return name === LOCK_FILE || parseLockName(name) !== undefined || UNFINISHED_LOCK_NAME.test(name);
}
