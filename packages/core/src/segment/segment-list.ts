/** A partition's segments in the order of their offsets; the last one is active. */
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

  /** The segment that holds `offset`, if any does: the last one that begins at or before it. */
  find(offset: number): Segment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.baseOffset > offset) high = middle;
      else low = middle + 1;
    }
    return this.#segments[low - 1];
  }

  after(segment: Segment): Segment | undefined {
    return this.#segments[this.#segments.indexOf(segment) + 1];
  }

  [Symbol.iterator](): IterableIterator<Segment> {
    return this.#segments.values();
  }
}
