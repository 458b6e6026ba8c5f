/**
 * A map whose entries are files of the data directory, one per key, which are replaced atomically.
 * Because the directory has one writer, revisions are counted in memory and valid until it is
 * closed.
 */
import type { DurableMap, MapEntry } from "../engine/durable-map.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";

export class FileMap implements DurableMap {
  readonly #storage: Storage;
  readonly #directory: string;
  /** Revisions of the existing files that have been accessed. */
  readonly #revisions = new Map<string, number>();
  #lastRevision = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(storage: Storage, directory: string) {
    this.#storage = storage;
    this.#directory = directory;
  }

  get(key: string): Promise<MapEntry | undefined> {
    return this.#alone(`${key} cannot be read`, () => this.#get(key));
  }

  compareAndSet(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    return this.#alone(`${key} cannot be written`, async () => {
      const now = this.#revisions.get(key) ?? (await this.#get(key))?.revision ?? 0;
      if (now !== revision) return undefined;
      this.#revisions.delete(key); // if the write fails, the file may or may not have been replaced
      await writeFileAtomically(this.#storage, this.#directory, key, value);
      return this.#newRevision(key);
    });
  }

  /** Resolves when no operation is in progress. */
  async settle(): Promise<void> {
    await this.#last;
  }

  async #get(key: string): Promise<MapEntry | undefined> {
    const value = await readWholeFile(this.#storage, `${this.#directory}/${key}`);
    if (value === undefined) return undefined;
    return { value, revision: this.#revisions.get(key) ?? this.#newRevision(key) };
  }

  #newRevision(key: string): number {
    this.#revisions.set(key, ++this.#lastRevision);
    return this.#lastRevision;
  }

  /** Runs one call after another, so that a file is not replaced while it is compared. */
  #alone<T>(what: string, work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => withStorageErrors(what, work));
    this.#last = done.catch(() => {});
    return done;
  }
}
