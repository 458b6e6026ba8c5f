/**
 * Permissions of new files and directories, before the umask: the owner writes, the group may read
 * (for followers and backups), others have no access.
 */

export const FILE_MODE = 0o640;
export const DIRECTORY_MODE = 0o750;
