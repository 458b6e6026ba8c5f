/**
 * Keeps the newest batches of a store's partitions in memory, because most readers are at the end
 * of a log, and then need no disk. The bytes are those that were appended, not a copy. All
 * partitions share one limit; the oldest batches are evicted first.
 */
import type { RecordBatch } from "@logstore/codec";
import { freeBuffer } from "../../engine/read/buffers.js";
import type { Segment } from "../../segment/segment.js";

/** The collection of smaller buffers costs less than freeing each of them. */
const FREED_FROM_BYTES = 16 * 1024;

interface TailEntry {
  readonly batch: RecordBatch;
  /** Whether nothing else uses the batch's buffer. */
  readonly isOwned: boolean;
  readonly segment: Segment;
  readonly position: number;
}

/** Whole batches from memory, and their location on disk. */
export interface TailRead {
  readonly batches: readonly RecordBatch[];
  readonly byteLength: number;
  readonly segment: Segment;
  readonly position: number;
}

export class TailCache {
  readonly #maxBytes: number;
  #bytes = 0;
  /** The partitions of the batches in order of eviction; those before `#next` have been evicted. */
  #order: PartitionTail[] = [];
  #next = 0;
  /** Number of entries of closed partitions, which have nothing to evict. */
  #closedCount = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  added(tail: PartitionTail, byteLength: number): void {
    this.#order.push(tail);
    this.#bytes += byteLength;
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#order[this.#next++]!;
      if (oldest.isClosed) this.#closedCount--;
      else this.#bytes -= oldest.dropOldest();
    }
    if (this.#next > 1024 && this.#next > this.#order.length / 2) {
      this.#order = this.#order.slice(this.#next);
      this.#next = 0;
    }
  }

  /** A partition was closed that had `count` batches with a total of `byteLength`. */
  closed(count: number, byteLength: number): void {
    this.#bytes -= byteLength;
    this.#closedCount += count;
    if (this.#closedCount > 1024 && this.#closedCount > (this.#order.length - this.#next) / 2) {
      this.#order = this.#order.slice(this.#next).filter((tail) => !tail.isClosed);
      this.#next = 0;
      this.#closedCount = 0;
    }
  }
}

/** The cached batches of one partition, up to the end of the log, without a gap. */
export class PartitionTail {
  readonly #cache: TailCache;
  #entries: (TailEntry | undefined)[] = [];
  /** Batches before it have been evicted. */
  #first = 0;
  #isClosed = false;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Drops all batches: otherwise those of a closed partition would stay until other batches evict
   * them.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const entries = this.#entries.slice(this.#first) as TailEntry[];
    this.#entries = [];
    this.#first = 0;
    this.#cache.closed(
      entries.length,
      entries.reduce((sum, { batch }) => sum + batch.byteLength, 0),
    );
  }

  /**
   * Adds batches that were written at the end of the log.
   *
   * @param owned those whose buffers nothing else uses: their memory is freed when they are evicted
   */
  add(batches: readonly RecordBatch[], segment: Segment, position: number, owned: ReadonlySet<RecordBatch>): void {
    if (this.#isClosed) return;
    let at = position;
    for (const batch of batches) {
      const { byteLength } = batch;
      this.#entries.push({ batch, isOwned: owned.has(batch), segment, position: at });
      at += byteLength;
      this.#cache.added(this, byteLength); // may evict the batch itself
    }
  }

  /** @returns the number of bytes freed */
  dropOldest(): number {
    const { batch, isOwned } = this.#entries[this.#first]!;
    const { byteLength } = batch;
    // Left to the garbage collector, such a buffer could cost more than the append.
    if (isOwned && byteLength >= FREED_FROM_BYTES) freeBuffer(batch.bytes);
    this.#entries[this.#first++] = undefined; // the slot itself is removed later
    if (this.#first > 256 && this.#first > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    } else if (this.#first === this.#entries.length) {
      this.#entries = [];
      this.#first = 0;
    }
    return byteLength;
  }

  /**
   * Returns the batches of one segment from the one that contains `offset` up to the one that
   * begins at `until`; at least one, and together at most `maxBytes` unless the first alone is
   * larger. Returns undefined if they are not cached.
   */
  read(offset: number, until: number, maxBytes: number): TailRead | undefined {
    const from = this.#find(offset);
    const first = this.#entries[from];
    if (from < this.#first || first === undefined || offset >= first.batch.nextOffset) return undefined;
    const batches: RecordBatch[] = [];
    let byteLength = 0;
    for (let i = from; i < this.#entries.length; i++) {
      const { batch, segment } = this.#entries[i]!;
      if (batch.baseOffset >= until || segment !== first.segment) break;
      if (i > from && byteLength + batch.byteLength > maxBytes) break;
      batches.push(batch);
      byteLength += batch.byteLength;
    }
    return { batches, byteLength, segment: first.segment, position: first.position };
  }

  /**
   * Index of the last entry that begins at or before `offset`; less than `#first` if there is none.
   */
  #find(offset: number): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.batch.baseOffset > offset) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }
}
