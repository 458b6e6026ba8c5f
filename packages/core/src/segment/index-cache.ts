/**
 * Keeps the most recently used indexes of finished segments in memory, up to a total number of
 * entries.
 */
import type { SparseIndex } from "./sparse-index.js";

/** An entry takes about 24 bytes and covers 16 KiB of log: 24 MB for 16 GB. */
const MAX_ENTRIES = 1_000_000;

export class IndexCache {
  /** Least recently used first. */
  readonly #indexes = new Map<object, { readonly index: Promise<SparseIndex>; entries: number }>();
  #entries = 0;

  /** Returns the owner's index; calls `load` if it is not in the cache. */
  get(owner: object, load: () => Promise<SparseIndex>): Promise<SparseIndex> {
    const known = this.#indexes.get(owner);
    if (known !== undefined) {
      this.#indexes.delete(owner);
      this.#indexes.set(owner, known);
      return known.index;
    }
    const added = { index: load(), entries: 0 };
    this.#indexes.set(owner, added);
    added.index.then(
      ({ length }) => this.#count(owner, added, length),
      () => this.delete(owner),
    );
    return added.index;
  }

  delete(owner: object): void {
    this.#entries -= this.#indexes.get(owner)?.entries ?? 0;
    this.#indexes.delete(owner);
  }

  #count(owner: object, added: { entries: number }, length: number): void {
    if (this.#indexes.get(owner) !== added) return;
    added.entries = length;
    this.#entries += length;
    for (const other of this.#indexes.keys()) {
      if (this.#entries <= MAX_ENTRIES) return;
      if (other !== owner) this.delete(other);
    }
  }
}
