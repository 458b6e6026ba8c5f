/** A file of a pool. Its descriptor is closed and reopened as needed, which users do not notice. */
import { ClosedError } from "@logstore/codec";
import type { FileAccess, FileHold, StorageFile } from "./storage.js";

/** The pool, as a file sees it. */
export interface FileSlots {
  /** Throws if the directory is no longer the one that was opened. */
  checkOwner(): void;
  /** The file is no longer in use and may be closed temporarily. */
  idle(file: PooledFile): Promise<void>;
  /** The file was used for a moment, whether or not it is also in use for longer. */
  wasUsed(file: PooledFile): void;
  /** The file is in use again and must stay open. */
  busy(file: PooledFile): void;
  /** The file's descriptor is closed for good: another file may be opened. */
  freeSlot(): void;
  reopen(path: string, access: FileAccess): Promise<StorageFile>;
  hold(path: string, access: FileAccess): Promise<FileHold>;
  /** Records which operation on which file failed. Returns the error. */
  note(error: unknown, doing: string, path: string): unknown;
}

const WRITING = "writing to";
const SYNCING = "making durable";

export class PooledFile implements StorageFile {
  readonly #pool: FileSlots;
  readonly #path: string;
  readonly #access: FileAccess;
  #file: StorageFile | undefined;
  #reopening: Promise<StorageFile> | undefined;
  /** A temporary close in progress, which makes room for another file. */
  #leaving: Promise<void> | undefined;
  #users = 0;
  #isClosed = false;
  #isDirty = false;
  /** Set after a failed sync: the state of the file's contents is unknown. */
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
    return this.#use(WRITING, (file) => {
      this.#checkSound();
      this.#isDirty = true;
      return file.write(buffers, position);
    });
  }

  writeNow(buffers: readonly Uint8Array[], position: number): boolean {
    const file = this.#file;
    if (file?.writeNow === undefined || this.#isClosed) return false;
    this.#pool.wasUsed(this);
    try {
      this.#checkSound();
      this.#isDirty = true;
      return file.writeNow(buffers, position);
    } catch (error) {
      throw this.#pool.note(error, WRITING, this.#path);
    }
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
      this.#isDirty = false; // a concurrent write sets it again
      try {
        await file.sync();
      } catch (error) {
        this.#failure = { error }; // the sync must not be retried when the file is closed
        this.#pool.checkOwner(); // if the whole directory is lost, report that instead
        throw error;
      }
    });
  }

  /**
   * A separate descriptor, outside the pool's slots, so that no other file has to wait for its
   * release.
   */
  hold(): Promise<FileHold> {
    if (this.#isClosed) return Promise.reject(new ClosedError(`${this.#path} is closed`));
    return this.#pool.hold(this.#path, this.#access);
  }

  /** Closes the descriptor temporarily; the next use of the file reopens it. */
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
    await file?.close().catch(() => {}); // there is nothing left to write
  }

  /**
   * If the file is in use, it is closed when that use ends: its descriptor number must not be
   * reused for another file before.
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

  /** Forbids changes after a failed sync. Reads are still allowed. */
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
