/**
 * A cache by name that peers cannot make grow: it has a bound in bytes, and what was not asked for
 * longest goes first. What is longer than the whole bound is not kept.
 */

/**
 * What an entry costs beside its key and its value: a slot of the map, and the string's and the
 * value's headers.
 */
const ENTRY_BYTES = 128;

export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #maxBytes: number;
  readonly #valueBytes: number;
  #bytes = 0;

  /** @param valueBytes what a value costs, about */
  constructor(maxBytes: number, valueBytes: number) {
    this.#maxBytes = maxBytes;
    this.#valueBytes = valueBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    // Moved to the end only where something will soon have to go.
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
