/**
 * A storage that keeps no more than so many files open, however many are in use: the one that nobody has used for longest is
 * closed when another is needed, and opened again when it is. Who uses a file notices nothing of it.
 *
 * A file with writes that were not synced is synced before it is closed: only the descriptor through which it was written is
 * sure to be told of an error. Where that sync fails, the file fails for whoever uses it next.
 */
import { BufferFullError, ClosedError } from "@logstore/codec";
import type { FileAccess, FileHold, Lock, Storage, StorageFile } from "./storage.js";

export class FilePool implements Storage {
  readonly #inner: Storage;
  /** Less than was asked for, where the system allows fewer. */
  #maxOpenFiles: number;
  #openFiles = 0;
  readonly #mostHeld: number;
  #held = 0;
  /** Open, and used by nobody; the one that was used longest ago first. */
  readonly #idle = new Set<PooledFile>();
  /** Who waits until they may open a file. */
  readonly #waiting: (() => void)[] = [];

  constructor(inner: Storage, maxOpenFiles: number) {
    this.#inner = inner;
    this.#maxOpenFiles = maxOpenFiles;
    this.#mostHeld = maxOpenFiles;
  }

  now(): number {
    return this.#inner.now();
  }

  randomHex(length: number): string {
    return this.#inner.randomHex(length);
  }

  lock(directory: string): Promise<Lock> {
    return this.#inner.lock(directory);
  }

  list(directory: string): Promise<string[] | undefined> {
    return this.#forNow(() => this.#inner.list(directory));
  }

  makeDirectory(path: string): Promise<void> {
    return this.#forNow(() => this.#inner.makeDirectory(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#forNow(() => this.#inner.syncDirectory(path));
  }

  async openFile(path: string, access: FileAccess): Promise<StorageFile> {
    const file = new PooledFile(this, path, access);
    file.opened(await this.openSlot(() => this.#inner.openFile(path, access)));
    return file;
  }

  async createFile(path: string): Promise<StorageFile> {
    const file = new PooledFile(this, path, "write");
    file.opened(await this.openSlot(() => this.#inner.createFile(path)));
    return file;
  }

  rename(from: string, to: string): Promise<void> {
    return this.#inner.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.#inner.remove(path);
  }

  removeDirectory(path: string): Promise<void> {
    return this.#forNow(() => this.#inner.removeDirectory(path));
  }

  watch(path: string, changed: () => void): Promise<() => void> {
    return this.#inner.watch(path, changed);
  }

  /** @throws BufferFullError where as many are held as may be open */
  async hold(path: string, access: FileAccess): Promise<FileHold> {
    if (this.#held >= this.#mostHeld) {
      throw new BufferFullError(`${this.#held} slices are held, and no more may be: release those that are done with`, {
        expected: this.#mostHeld,
        actual: this.#held,
      });
    }
    this.#held++;
    try {
      const file = await this.#inner.openFile(path, access);
      const { descriptor } = await file.hold();
      let isHeld = true;
      const release = () => {
        if (!isHeld) return;
        isHeld = false;
        this.#held--;
        void file.close().catch(() => {});
      };
      return { descriptor, release };
    } catch (error) {
      this.#held--;
      throw error;
    }
  }

  /** Opens again a file that was closed meanwhile. */
  reopen(path: string, access: FileAccess): Promise<StorageFile> {
    return this.openSlot(() => this.#inner.openFile(path, access));
  }

  /**
   * @param open what opens a file, once there is room for it; again, where the system has none: the rest of the process may use
   * what it allows
   */
  async openSlot<T>(open: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#takeSlot();
      try {
        return await open();
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        const isTooMany = (code === "EMFILE" || code === "ENFILE") && this.#openFiles > 1;
        if (isTooMany) this.#maxOpenFiles = Math.min(this.#maxOpenFiles, this.#openFiles - 1);
        this.freeSlot();
        if (!isTooMany) throw error;
      }
    }
  }

  /** A file that nobody uses from now on. */
  async idle(file: PooledFile): Promise<void> {
    if (this.#waiting.length === 0 && this.#openFiles <= this.#maxOpenFiles) {
      this.#idle.add(file);
      return;
    }
    await file.closeForNow();
    this.freeSlot();
  }

  busy(file: PooledFile): void {
    this.#idle.delete(file);
  }

  /** To be called when a file is closed: its place goes to whoever waits. */
  freeSlot(): void {
    const next = this.#openFiles > this.#maxOpenFiles ? undefined : this.#waiting.shift();
    if (next === undefined) this.#openFiles--;
    else next();
  }

  async #takeSlot(): Promise<void> {
    if (this.#openFiles < this.#maxOpenFiles) {
      this.#openFiles++;
      return;
    }
    const [oldest] = this.#idle;
    if (oldest === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.busy(oldest);
    await oldest.closeForNow(); // its place is ours
  }

  /** Something that opens files and closes them again. */
  async #forNow<T>(work: () => Promise<T>): Promise<T> {
    const result = await this.openSlot(work);
    this.freeSlot();
    return result;
  }
}

class PooledFile implements StorageFile {
  readonly #pool: FilePool;
  readonly #path: string;
  readonly #access: FileAccess;
  #file: StorageFile | undefined;
  #reopening: Promise<StorageFile> | undefined;
  /** Closing it for now, to make room. */
  #leaving: Promise<void> | undefined;
  #users = 0;
  #isClosed = false;
  #isDirty = false;
  /** Why nothing can be said of the file's contents any more, if so. */
  #failure: { readonly error: unknown } | undefined;

  constructor(pool: FilePool, path: string, access: FileAccess) {
    this.#pool = pool;
    this.#path = path;
    this.#access = access;
  }

  opened(file: StorageFile): void {
    this.#file = file;
    void this.#pool.idle(this);
  }

  size(): Promise<number> {
    return this.#use((file) => file.size());
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#use((file) => file.read(into, position));
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return this.#use((file) => {
      this.#checkSound();
      this.#isDirty = true;
      return file.write(buffers, position);
    });
  }

  truncate(size: number): Promise<void> {
    return this.#use((file) => {
      this.#checkSound();
      this.#isDirty = true;
      return file.truncate(size);
    });
  }

  sync(): Promise<void> {
    return this.#use(async (file) => {
      this.#checkSound();
      this.#isDirty = false; // a write that comes meanwhile sets it again
      try {
        await file.sync();
      } catch (error) {
        this.#failure = { error }; // whoever closes it must not try again
        throw error;
      }
    });
  }

  /** A descriptor of its own, beside those of the pool: nobody else waits for its release. */
  hold(): Promise<FileHold> {
    if (this.#isClosed) return Promise.reject(new ClosedError(`${this.#path} is closed`));
    return this.#pool.hold(this.#path, this.#access);
  }

  /** Closes the descriptor; the next one who uses the file opens another. */
  closeForNow(): Promise<void> {
    this.#leaving = this.#leave().finally(() => {
      this.#leaving = undefined;
    });
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (this.#isDirty && this.#failure === undefined) {
      this.#isDirty = false;
      await file?.sync().catch((error: unknown) => {
        this.#failure = { error };
      });
    }
    await file?.close().catch(() => {}); // nothing was left to be written
  }

  /** Where somebody holds the file, it is closed when it is let go of: its descriptor must not become another file's before. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#leaving;
    await this.#reopening?.catch(() => {});
    if (this.#users === 0) await this.#closeForGood();
  }

  async #closeForGood(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    this.#pool.busy(this);
    try {
      await file.close();
    } finally {
      this.#pool.freeSlot();
    }
  }

  /** What can be read can still be read. */
  #checkSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #use<T>(work: (file: StorageFile) => Promise<T>): Promise<T> {
    const file = this.#users === 0 || this.#file === undefined ? await this.#begin() : this.#join(this.#file);
    try {
      return await work(file);
    } finally {
      this.#end();
    }
  }

  #join(file: StorageFile): StorageFile {
    this.#users++;
    return file;
  }

  async #begin(): Promise<StorageFile> {
    if (this.#users++ === 0) this.#pool.busy(this);
    try {
      await this.#leaving;
      if (this.#isClosed) throw new ClosedError(`${this.#path} is closed`);
      if (this.#file !== undefined) return this.#file;
      this.#reopening ??= this.#reopen();
      return await this.#reopening;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  async #reopen(): Promise<StorageFile> {
    try {
      this.#file = await this.#pool.reopen(this.#path, this.#access);
      return this.#file;
    } finally {
      this.#reopening = undefined;
    }
  }

  #end(): void {
    if (--this.#users > 0 || this.#file === undefined) return;
    if (this.#isClosed) void this.#closeForGood().catch(() => {});
    else void this.#pool.idle(this);
  }
}
