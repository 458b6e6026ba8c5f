/** A file that is opened on first use, and closed when reads in progress are done. */
import { ClosedError } from "@logstore/codec";
import type { FileAccess, Storage, StorageFile } from "../storage/storage.js";

export class LazyFile {
  readonly #storage: Storage;
  readonly #path: string;
  readonly #access: FileAccess;
  #file: Promise<StorageFile> | undefined;
  #now: StorageFile | undefined;
  #reading: Set<Promise<unknown>> | undefined;
  #isClosed = false;

  constructor(storage: Storage, path: string, access: FileAccess) {
    this.#storage = storage;
    this.#path = path;
    this.#access = access;
  }

  /** Sets the open file, which has just been created. */
  opened(file: StorageFile): void {
    this.#file = Promise.resolve(file);
    this.#now = file;
  }

  /** The file, if it is open. */
  get now(): StorageFile | undefined {
    return this.#now;
  }

  get(): Promise<StorageFile> {
    if (this.#file === undefined) {
      if (this.#isClosed) return Promise.reject(this.#closedError());
      this.#file = this.#storage.openFile(this.#path, this.#access);
      this.#file.then(
        (file) => {
          this.#now = file;
        },
        () => {
          this.#file = undefined; // the next attempt may succeed, for example after too many open files
        },
      );
    }
    return this.#file;
  }

  /** Reads the file, which stays open in the meantime. */
  async read<T>(work: (file: StorageFile) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw this.#closedError();
    const reading = this.get().then(work);
    this.#reading ??= new Set();
    this.#reading.add(reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(reading);
      if (this.#reading.size === 0) this.#reading = undefined;
    }
  }

  /** Closes the file temporarily: its next use opens the file that its path refers to then. */
  async closeForNow(): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    this.#file = undefined;
    this.#now = undefined;
    await file?.close();
  }

  /**
   * Waits for reads in progress, because the descriptor could be reused for another file during
   * them.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#reading ?? []);
    const file = await this.#file?.catch(() => undefined);
    this.#now = undefined;
    await file?.close();
  }

  #closedError(): ClosedError {
    return new ClosedError(`${this.#path.slice(this.#path.lastIndexOf("/") + 1)} is closed`);
  }
}
