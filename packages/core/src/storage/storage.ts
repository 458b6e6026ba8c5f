/**
 * The engine's only access to disk, clock and randomness. Implementations use Node's file system,
 * memory, or (for tests) a simulated disk. Paths use "/"; contents are bytes. Unsynced changes may
 * be lost, in any order and in part, when the machine stops. A created, renamed or removed name is
 * durable only after its directory has been synced.
 */
export interface Storage {
  /** Wall clock, in ms since the epoch. It may jump: neither offsets nor waits depend on it. */
  now(): number;

  /** `length` random bytes as hex. */
  randomHex(length: number): string;

  /**
   * Makes this process the only writer of a directory, until it releases the lock or exits.
   *
   * @throws LockedError if there is another writer
   */
  lock(directory: string): Promise<Lock>;

  /**
   * Creates the parent directories of a path, durably. Only for opening a store: directories of an
   * open store are never recreated.
   */
  makeParents(path: string): Promise<void>;

  /**
   * Creates a directory, durably, unless it exists.
   *
   * @throws ENOENT if the parent directory does not exist
   */
  makeDirectory(path: string): Promise<void>;

  /**
   * Returns an identifier that distinguishes a directory from any other that may later have the
   * same path; undefined if there is none.
   */
  identify(directory: string): Promise<string | undefined>;

  /** Lists the names in a directory, in any order; undefined if the directory does not exist. */
  list(directory: string): Promise<string[] | undefined>;

  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;

  /** Opens an existing file. Access "read" is for files that must not be changed. */
  openFile(path: string, access: FileAccess): Promise<StorageFile>;

  /** Creates an empty file, or truncates an existing one, and opens it. */
  createFile(path: string): Promise<StorageFile>;

  /** Renames a file, replacing `to` if it exists; or a directory, whose new name must not exist. */
  rename(from: string, to: string): Promise<void>;

  /**
   * Gives a file a second name, which must not exist. Both names refer to the same file until both
   * are removed. Not every storage supports this, nor between any two directories; see
   * link-or-copy.ts.
   */
  link(from: string, to: string): Promise<void>;

  /** Removes a file, if it exists. */
  remove(path: string): Promise<void>;

  /**
   * Removes a directory and its contents, if it exists. After a crash some of the contents may
   * remain.
   */
  removeDirectory(path: string): Promise<void>;

  /**
   * Calls back soon after an existing file was written by any process. Notifications may be missed.
   * Resolves to a function that stops watching.
   */
  watch(path: string, changed: () => void): Promise<() => void>;
}

/** The access for which a file is opened; "write" includes reading. */
export type FileAccess = "read" | "write";

/** An open file of a {@link Storage}. */
export interface StorageFile {
  size(): Promise<number>;

  /**
   * Fills `into` from `position` on. Resolves to the number of bytes read, which is smaller only at
   * the end of the file.
   */
  read(into: Uint8Array, position: number): Promise<number>;

  /**
   * Writes all buffers, one after another, from `position` on. Rejects if not all were written. The
   * buffers must not be used after that: their memory may be freed.
   */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;

  /**
   * Like {@link write}, but has written when it returns true. Returns false, without having written
   * anything, if the write would take long or cannot be made at once. A storage may leave it out.
   */
  writeNow?(buffers: readonly Uint8Array[], position: number): boolean;

  /**
   * Makes all writes durable under the file's current name. After a failure the state of the file's
   * contents is unknown.
   */
  sync(): Promise<void>;

  truncate(size: number): Promise<void>;

  /**
   * Keeps the file open until released, so that its descriptor can be passed to the operating
   * system.
   */
  hold(): Promise<FileHold>;

  close(): Promise<void>;
}

/** Keeps a file's descriptor open until it is released. */
export interface FileHold {
  /** Undefined if the file is not one of the operating system. */
  readonly descriptor: number | undefined;
  release(): void;
}

/** The lock of a directory; see {@link Storage}. */
export interface Lock {
  /**
   * Checks that the lock is still held. Cheap.
   *
   * @throws StorageFailedError if the lock is lost: another writer may have the directory, or the
   * directory is gone
   */
  check(): void;
  release(): Promise<void>;
}
