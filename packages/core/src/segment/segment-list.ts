/** A partition's segments in offset order; the last one is active. */
import type { Segment } from "./segment.js";

export class SegmentList {
  readonly #segments: Segment[];

  constructor(segments: Segment[]) {
    this.#segments = segments;
  }

  get active(): Segment | undefined {
    return this.#segments.at(-1);
  }

  get first(): Segment | undefined {
    return this.#segments[0];
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /**
   * The segment for `offset`: the last one that begins at or before it; undefined if there is none.
   */
  find(offset: number): Segment | undefined {
    return this.#segments[this.#countUpTo(offset) - 1];
  }

  after({ baseOffset }: Segment): Segment | undefined {
    return this.#segments[this.#countUpTo(baseOffset)];
  }

  /** Number of segments that begin at or before `offset`. */
  #countUpTo(offset: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.baseOffset > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Removes and returns the segments that end at or before `offset`, except for the active one. */
  takeBefore(offset: number): Segment[] {
    return this.#segments.splice(0, this.countBefore(offset));
  }

  /** Number of segments that end at or before `offset`. */
  countBefore(offset: number): number {
    let count = 0;
    while (count + 1 < this.#segments.length && this.#segments[count + 1]!.baseOffset <= offset) count++;
    return count;
  }

  [Symbol.iterator](): IterableIterator<Segment> {
    return this.#segments.values();
  }
}
