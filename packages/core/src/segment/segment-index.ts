/**
 * The index of one segment: read from its file, or rebuilt from the log if the file is missing,
 * damaged or for another size. The active segment's index grows with it; those of the others are in
 * a shared cache.
 */
import { type BatchLimits, LogStoreError } from "@logstore/codec";
import { indexFileName } from "../files/file-names.js";
import { readWholeFile } from "../storage/atomic-file.js";
import { isDiskTrouble } from "../storage/disk-trouble.js";
import type { Storage, StorageFile } from "../storage/storage.js";
import type { IndexCache } from "./index-cache.js";
import { scanSegment } from "./scan-segment.js";
import { SparseIndex } from "./sparse-index.js";

export interface IndexHome {
  readonly storage: Storage;
  readonly directory: string;
  readonly limits: BatchLimits;
  readonly indexes: IndexCache;
}

/** The log that is indexed. */
export interface IndexedLog {
  readonly baseOffset: number;
  file(): Promise<StorageFile>;
  /** Size of the log in the file, in bytes. */
  size(): Promise<number>;
  /** Reads the file, which stays open in the meantime. */
  read<T>(work: (file: StorageFile) => Promise<T>): Promise<T>;
}

export class SegmentIndex {
  readonly #home: IndexHome;
  readonly #log: IndexedLog;
  #growing: Promise<SparseIndex> | undefined;
  #now: SparseIndex | undefined;

  constructor(home: IndexHome, log: IndexedLog) {
    this.#home = home;
    this.#log = log;
  }

  get path(): string {
    return `${this.#home.directory}/${this.#name}`;
  }

  get #name(): string {
    return indexFileName(this.#log.baseOffset);
  }

  get(): Promise<SparseIndex> {
    return this.#growing ?? this.#home.indexes.get(this, () => this.#load());
  }

  /** The index of the active segment, to which appends are added. */
  getGrowing(): Promise<SparseIndex> {
    if (this.#growing === undefined) {
      const growing = this.#load();
      this.#growing = growing;
      growing.then(
        (index) => {
          if (this.#growing === growing) this.#now = index;
        },
        () => {
          this.#growing = undefined;
        },
      );
      this.forget();
    }
    return this.#growing;
  }

  /** The log grows from now on. @param index of the log so far, if available */
  growFrom(index: SparseIndex | undefined): void {
    this.#growing = index && Promise.resolve(index);
    this.#now = index;
  }

  /** The index of the active segment, if it is loaded. */
  get growing(): SparseIndex | undefined {
    return this.#now;
  }

  /** Frees the memory of the index. */
  forget(): void {
    this.#home.indexes.delete(this);
  }

  /** The index of the first `size` bytes of the log. */
  async upTo(size: number): Promise<SparseIndex> {
    const content = await readWholeFile(this.#home.storage, this.path).catch((error: unknown) => {
      if (!isDiskTrouble(error)) throw error; // a cache that cannot be read is rebuilt, like a damaged one
    });
    const known = content && SparseIndex.decode(content, this.#log.baseOffset, size);
    return known ?? (await this.#make(size));
  }

  async #make(size: number): Promise<SparseIndex> {
    const index = new SparseIndex();
    const { limits } = this.#home;
    const range = { position: 0, end: size, nextOffset: this.#log.baseOffset, limits, verify: false };
    try {
      for await (const { batch, position } of scanSegment(await this.#log.file(), range)) {
        index.add(batch.baseOffset, position, batch.appendTime);
      }
    } catch (error) {
      // Damage in the log: everything before it can still be found, and a reader that reaches it
      // reports it.
      if (!(error instanceof LogStoreError)) throw error;
    }
    return index;
  }

  #load(): Promise<SparseIndex> {
    return this.#log.read(async () => this.upTo(await this.#log.size()));
  }

  /**
   * Writes the file, so that the next open need not rebuild the index. Not synced, because it is
   * only a cache. Always a new file, because a snapshot may share the old one.
   */
  async write(): Promise<void> {
    const content = (await this.get()).encode(this.#log.baseOffset, await this.#log.size());
    await this.#home.storage.remove(this.path);
    const file = await this.#home.storage.createFile(this.path);
    try {
      await file.write([content], 0);
    } finally {
      await file.close();
    }
  }

  /** Removes the file, which can be rebuilt when needed. */
  async remove(): Promise<void> {
    this.forget();
    await this.#home.storage.remove(this.path);
  }

  /**
   * Returns how the file deviates from the log's own index; undefined if it is correct or does not
   * exist.
   */
  async fault(index: SparseIndex): Promise<string | undefined> {
    let content: Uint8Array | undefined;
    try {
      content = await readWholeFile(this.#home.storage, this.path);
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      return `${this.#name}: the index cannot be read; it is not needed and will be made again`;
    }
    const right = index.encode(this.#log.baseOffset, await this.#log.size());
    if (content === undefined || Buffer.compare(content, right) === 0) return undefined;
    return `${this.#name} does not fit its log; it is not needed and will be made again`;
  }
}
