/**
 * The one way from the engine to disk, clock and randomness. Node's files, memory and (for tests) a
 * simulated disk stand behind it. Paths use "/"; contents are bytes. What is not synced may be
 * lost, in any order and in part, when the machine stops; a created, renamed or removed name is
 * durable only once its directory is synced.
 */

export interface Storage {
  /** Wall clock, ms since the epoch. It may jump: offsets and waits never depend on it. */
  now(): number;

  /** `length` random bytes as hex. */
  randomHex(length: number): string;

  /**
   * Makes this process the one writer of a directory, until released or dead.
   *
   * @throws LockedError where somebody else is
   */
  lock(directory: string): Promise<Lock>;

  /**
   * Makes the directories that a path is in, durably. Only when a store is opened: what was opened
   * is never made anew.
   */
  makeParents(path: string): Promise<void>;

  /**
   * Makes a directory, if it is not there, durably. @throws ENOENT where the directory that it is
   * in is not there
   */
  makeDirectory(path: string): Promise<void>;

  /**
   * Tells a directory from any other that may be found by the same path later; undefined where
   * there is none.
   */
  identify(directory: string): Promise<string | undefined>;

  /** Names in a directory, in no order; undefined where there is no such directory. */
  list(directory: string): Promise<string[] | undefined>;

  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;

  /** Opens a file that exists; to read only, where it is not ours to change. */
  openFile(path: string, access: FileAccess): Promise<StorageFile>;

  /** Makes an empty file, or empties one, and opens it. */
  createFile(path: string): Promise<StorageFile>;

  /** Moves a file, in place of `to` if that is there; or a directory, to where nothing is. */
  rename(from: string, to: string): Promise<void>;

  /**
   * Gives a file a second name, where nothing is: one file then, whichever name it is opened and
   * changed by, until both are removed. Not every storage can, nor from anywhere to anywhere: see
   * link-or-copy.ts.
   */
  link(from: string, to: string): Promise<void>;

  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>;

  /** Removes a directory and all that is in it, if it is there; a crash may leave some of it. */
  removeDirectory(path: string): Promise<void>;

  /**
   * Calls back soon after a file that exists was written to, by whomever: most times, not always.
   * Resolves to what ends it.
   */
  watch(path: string, changed: () => void): Promise<() => void>;
}

/** What a file is opened for. "write" includes reading. */
export type FileAccess = "read" | "write";

/** An open file of a {@link Storage}. */
export interface StorageFile {
  size(): Promise<number>;

  /**
   * Fills `into` from `position` on; fewer bytes only at the end of the file. Resolves to their
   * number.
   */
  read(into: Uint8Array, position: number): Promise<number>;

  /** Writes all of the buffers one after another from `position` on, or rejects. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;

  /**
   * Makes everything written durable, under the file's name. After a failure nothing can be said of
   * what is.
   */
  sync(): Promise<void>;

  truncate(size: number): Promise<void>;

  /** Keeps the file open, until released, for handing its descriptor on to the operating system. */
  hold(): Promise<FileHold>;

  close(): Promise<void>;
}

/** Keeps a file's descriptor open until it is released. */
export interface FileHold {
  /** Undefined where the file is none of the operating system's. */
  readonly descriptor: number | undefined;
  release(): void;
}

/** The lock of a directory; see {@link Storage}. */
export interface Lock {
  /**
   * Cheap. @throws StorageFailedError where the lock was lost: another writer may have the
   * directory, or it is gone
   */
  check(): void;
  release(): Promise<void>;
}
