/**
 * The indexes of finished segments that are kept in memory: those used last, up to so many entries
 * in all.
 */
import type { SparseIndex } from "./sparse-index.js";

/** An entry takes about 24 bytes, and stands for 16 KiB of log: 24 MB for 16 GB. */
const MAX_ENTRIES = 1_000_000;

export class IndexCache {
  /** The one that was used longest ago first. */
  readonly #indexes = new Map<object, { readonly index: Promise<SparseIndex>; entries: number }>();
  #entries = 0;

  /** The owner's index; `load` brings it where it is not here. */
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
