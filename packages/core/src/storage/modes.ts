/**
 * Permissions of what is made, less the umask: the owner writes, the group may follow and back up,
 * others see nothing.
 */

export const FILE_MODE = 0o640;
export const DIRECTORY_MODE = 0o750;
