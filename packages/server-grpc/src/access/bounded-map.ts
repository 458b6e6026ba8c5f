/**
 * A cache with a limit in bytes, which peers cannot make grow: the least recently used entries are
 * evicted first. An entry larger than the limit is not stored.
 */

/**
 * Overhead of an entry in addition to its key and value: a slot of the map, and the headers of the
 * string and the value.
 */
const ENTRY_BYTES = 128;

export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #maxBytes: number;
  readonly #valueBytes: number;
  #bytes = 0;

  /** @param valueBytes approximate size of a value */
  constructor(maxBytes: number, valueBytes: number) {
    this.#maxBytes = maxBytes;
    this.#valueBytes = valueBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    // Moved to the end only if evictions are near.
    if (value === undefined || this.#bytes < this.#maxBytes / 2) return value;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    const bytes = this.#bytesOf(key);
    if (bytes > this.#maxBytes) return;
    if (this.#entries.delete(key)) this.#bytes -= bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + bytes <= this.#maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= this.#bytesOf(oldest);
    }
    this.#entries.set(key, value);
    this.#bytes += bytes;
  }

  getOrMake(key: string, make: () => Value): Value {
    const known = this.get(key);
    if (known !== undefined) return known;
    const value = make();
    this.set(key, value);
    return value;
  }

  #bytesOf(key: string): number {
    return ENTRY_BYTES + 2 * key.length + this.#valueBytes;
  }
}
