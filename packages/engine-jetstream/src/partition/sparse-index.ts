/**
 * The places of some data messages of a partition, in memory. It is a cache: what is not in it is
 * found in the stream.
 */
import type { DataPlace } from "./data-message.js";

/** Messages closer than that to one in the index are left out. */
const STEP = 8;
const MAX_ENTRIES = 8_192;

export class SparseIndex {
  /** By sequence. */
  #entries: DataPlace[] = [];

  add(place: DataPlace): void {
    const { sequence, epoch, baseOffset, nextOffset, appendTime, position, nextPosition } = place;
    const at = this.#indexOf((entry) => entry.sequence >= sequence);
    const [before, after] = [this.#entries[at - 1], this.#entries[at]];
    if (before !== undefined && sequence - before.sequence < STEP) return;
    if (after !== undefined && after.sequence - sequence < STEP) return;
    this.#entries.splice(at, 0, { sequence, epoch, baseOffset, nextOffset, appendTime, position, nextPosition });
    if (this.#entries.length > MAX_ENTRIES) this.#entries = this.#entries.filter((_, i) => i % 2 === 0);
  }

  /** Messages before `sequence` are no more. */
  removeBefore(sequence: number): void {
    this.#entries.splice(
      0,
      this.#indexOf((entry) => entry.sequence >= sequence),
    );
  }

  /**
   * The last entry for which a condition does not hold, and the first for which it does. It must
   * hold for all messages after one for which it holds.
   */
  around(holds: (place: DataPlace) => boolean): [before: DataPlace | undefined, from: DataPlace | undefined] {
    const at = this.#indexOf(holds);
    return [this.#entries[at - 1], this.#entries[at]];
  }

  #indexOf(holds: (place: DataPlace) => boolean): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#entries[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
