/**
 * A file of a pool: whoever uses it does not notice that its descriptor is closed now and then, and
 * another one opened.
 */
import { ClosedError } from "@logstore/codec";
import type { FileAccess, FileHold, StorageFile } from "./storage.js";

/** What a file needs of its pool. */
export interface FileSlots {
  /** Throws where the directory is not the one that was opened any more. */
  checkOwner(): void;
  /** The file is used by nobody from now on: it may be closed for now. */
  idle(file: PooledFile): Promise<void>;
  /** The file is used again: it is not closed for now. */
  busy(file: PooledFile): void;
  /** The file's descriptor is closed for good: another file may be opened. */
  freeSlot(): void;
  reopen(path: string, access: FileAccess): Promise<StorageFile>;
  hold(path: string, access: FileAccess): Promise<FileHold>;
  /** Notes what a call that failed was about. Returns the error. */
  note(error: unknown, doing: string, path: string): unknown;
}

const SYNCING = "making durable";

export class PooledFile implements StorageFile {
  readonly #pool: FileSlots;
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

  constructor(pool: FileSlots, path: string, access: FileAccess) {
    this.#pool = pool;
    this.#path = path;
    this.#access = access;
  }

  opened(file: StorageFile): void {
    this.#file = file;
    void this.#pool.idle(this);
  }

  size(): Promise<number> {
    return this.#use("looking at", (file) => file.size());
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#use("reading", (file) => file.read(into, position));
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    return this.#use("writing to", (file) => {
      this.#checkSound();
      this.#isDirty = true;
      return file.write(buffers, position);
    });
  }

  truncate(size: number): Promise<void> {
    return this.#use("truncating", (file) => {
      this.#checkSound();
      this.#isDirty = true;
      return file.truncate(size);
    });
  }

  sync(): Promise<void> {
    return this.#use(SYNCING, async (file) => {
      this.#checkSound();
      this.#isDirty = false; // a write that comes meanwhile sets it again
      try {
        await file.sync();
      } catch (error) {
        this.#failure = { error }; // whoever closes it must not try again
        this.#pool.checkOwner(); // where the whole directory is lost, that is what is told
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
        this.#pool.note(error, SYNCING, this.#path);
        this.#failure = { error };
      });
    }
    await file?.close().catch(() => {}); // nothing was left to be written
  }

  /**
   * Where somebody holds the file, it is closed when it is let go of: its descriptor must not
   * become another file's before.
   */
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
    } catch (error) {
      throw this.#pool.note(error, "closing", this.#path);
    } finally {
      this.#pool.freeSlot();
    }
  }

  /** What can be read can still be read. */
  #checkSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #use<T>(doing: string, work: (file: StorageFile) => Promise<T>): Promise<T> {
    const file = this.#users === 0 || this.#file === undefined ? await this.#begin() : this.#join(this.#file);
    try {
      return await work(file);
    } catch (error) {
      throw this.#pool.note(error, doing, this.#path);
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
