/**
 * The index of one segment: read from its file, or made from the log where that file is missing,
 * damaged or of another size. The active segment's grows with it; those of the others are kept in a
 * cache that they share.
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
  /** Bytes of the log in the file. */
  size(): Promise<number>;
  /** Reads the file; it is not closed meanwhile. */
  read<T>(work: (file: StorageFile) => Promise<T>): Promise<T>;
}

export class SegmentIndex {
  readonly #home: IndexHome;
  readonly #log: IndexedLog;
  #growing: Promise<SparseIndex> | undefined;

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

  /** The one that appends are noted in. */
  getGrowing(): Promise<SparseIndex> {
    if (this.#growing === undefined) {
      this.#growing = this.#load();
      this.#growing.catch(() => {
        this.#growing = undefined;
      });
      this.forget();
    }
    return this.#growing;
  }

  /** The log grows from here on. @param index of it so far, if it is at hand */
  growFrom(index: SparseIndex | undefined): void {
    this.#growing = index && Promise.resolve(index);
  }

  /** Frees the memory that it takes. */
  forget(): void {
    this.#home.indexes.delete(this);
  }

  /** The index of the first `size` bytes of the log. */
  async upTo(size: number): Promise<SparseIndex> {
    const content = await readWholeFile(this.#home.storage, this.path).catch((error: unknown) => {
      if (!isDiskTrouble(error)) throw error; // a cache that cannot be read is made again, as one that is damaged
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
      // Damage in the log: what lies before it stays within reach, and whoever reads on comes upon
      // it and names it.
      if (!(error instanceof LogStoreError)) throw error;
    }
    return index;
  }

  #load(): Promise<SparseIndex> {
    return this.#log.read(async () => this.upTo(await this.#log.size()));
  }

  /**
   * Writes the file, so that the next one to open the store need not make the index. A cache: not
   * synced. A new file, for the old one may be a snapshot's too.
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

  /** Removes the file; it is made again when it is needed. */
  async remove(): Promise<void> {
    this.forget();
    await this.#home.storage.remove(this.path);
  }

  /**
   * Why the file would lead astray, compared with the log's own index; undefined where it is right,
   * or not there.
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
