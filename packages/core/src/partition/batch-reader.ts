/** Reads a partition from an offset on, in whole batches, and remembers where it is. */
import { type BatchLimits, CorruptPartitionError, frameBatches, OffsetOutOfRangeError } from "@logstore/codec";
import { readBatches } from "../segment/read-batches.js";
import type { Segment } from "../segment/segment.js";
import type { SegmentList } from "../segment/segment-list.js";
import type { LogOffsets } from "./log-offsets.js";

export interface ReadOptions {
  /** How much to read at once at most, bytes, unless one batch alone is longer. */
  readonly maxBytes: number;
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** Where to read to, if it is long enough. Default: a buffer of its own. */
  readonly into?: Uint8Array | undefined;
  /** No batch is wanted that begins here or later. Default: none is left out. */
  readonly until?: number | undefined;
}

export interface Chunk {
  /** Whole batches, their headers checked, their records not. The first may begin before the offset that was asked for. */
  readonly bytes: Uint8Array;
  /** At least so many bytes before `bytes` in its buffer are free. */
  readonly headroomBytes: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
  /** Where the bytes come from. */
  readonly segment: Segment;
  readonly position: number;
}

/** What a reader needs of the partition that it reads. */
export interface ReadableLog {
  readonly partition: number;
  readonly segments: SegmentList;
  readonly offsets: LogOffsets;
  readonly limits: BatchLimits;
  /** Where and why the log cannot be read on, if so. */
  readonly damage: CorruptPartitionError | undefined;
}

export class BatchReader {
  readonly #log: ReadableLog;
  #offset: number;
  #segment: Segment | undefined;
  #position = 0;

  /** @throws OffsetOutOfRangeError */
  constructor(log: ReadableLog, offset: number) {
    checkOffset(log, offset);
    this.#log = log;
    this.#offset = offset;
  }

  /** Offset of the next record to be read. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * The next batches; undefined at the high watermark, and where no more are wanted.
   *
   * @throws CorruptPartitionError where the log is damaged
   */
  async next(options: ReadOptions): Promise<Chunk | undefined> {
    const { until = Number.POSITIVE_INFINITY } = options;
    while (this.#offset < Math.min(this.#log.offsets.highWatermark, until)) {
      const segment = await this.#locate();
      const end = await segment.visibleSize();
      if (this.#position >= end) {
        this.#leave(segment);
        continue;
      }
      const { limits } = this.#log;
      const range = { ...options, position: this.#position, end, limits };
      const read = await segment.read((file) => readBatches(file, range));
      const chunk = this.#accept(segment, read, options);
      if (chunk !== undefined) return chunk;
    }
    const { damage } = this.#log;
    if (damage !== undefined && this.#offset < until) throw damage;
    return undefined;
  }

  /** File, position and length of whole batches from here on, for those who read them by themselves. */
  async slice(maxBytes: number): Promise<{ segment: Segment; position: number; length: number } | undefined> {
    const chunk = await this.next({ maxBytes });
    if (chunk === undefined) return undefined;
    return { segment: chunk.segment, position: chunk.position, length: chunk.bytes.length };
  }

  async #locate(): Promise<Segment> {
    if (this.#segment !== undefined) return this.#segment;
    const segment = this.#log.segments.find(this.#offset);
    if (segment === undefined) throw this.#damaged(this.#log.segments.first!, new Error("no file has it"), 0);
    this.#position = (await segment.index()).positionOfOffset(this.#offset);
    this.#segment = segment;
    return segment;
  }

  #leave(segment: Segment): void {
    const next = this.#log.segments.after(segment);
    if (next?.baseOffset !== this.#offset)
      throw this.#damaged(segment, new Error("the file ends early"), this.#position);
    this.#segment = next;
    this.#position = 0;
  }

  /** Drops the batches that end before the offset: an index entry leads to somewhat before it. */
  #accept(segment: Segment, bytes: Uint8Array, options: ReadOptions): Chunk | undefined {
    const { headroomBytes = 0, until = Number.POSITIVE_INFINITY } = options;
    let at = 0;
    let skipped = 0;
    let isFirst = true;
    try {
      if (bytes.length === 0) throw new Error("the file ends early");
      for (const { baseOffset, nextOffset, byteLength } of frameBatches(bytes, this.#log.limits)) {
        if (this.#offset >= until) break;
        if (nextOffset <= this.#offset) {
          skipped = at + byteLength;
        } else {
          const follows = isFirst ? baseOffset <= this.#offset : baseOffset === this.#offset;
          if (!follows) throw new Error(`a batch begins at offset ${baseOffset}`);
          isFirst = false;
          this.#offset = nextOffset;
        }
        at += byteLength;
      }
    } catch (error) {
      // Whatever was sound before it is delivered first; the next call comes upon the damage again.
      if (at === skipped) throw this.#damaged(segment, error as Error, this.#position + at);
    }
    const position = this.#position + skipped;
    this.#position += at;
    if (at === skipped) return undefined;
    return {
      bytes: bytes.subarray(skipped, at),
      headroomBytes: headroomBytes + skipped,
      nextOffset: this.#offset,
      segment,
      position,
    };
  }

  #damaged(segment: Segment, cause: Error, byte: number): CorruptPartitionError {
    return damagedAt(this.#log, segment, this.#offset, byte, cause);
  }
}

/** Damage that a reader comes upon. */
export function damagedAt(
  { partition }: ReadableLog,
  segment: Segment,
  offset: number,
  byte: number,
  cause: Error,
): CorruptPartitionError {
  const file = `${partition}/${segment.name}`;
  return new CorruptPartitionError(
    `partition ${partition} is damaged at offset ${offset} (${file}, byte ${byte}): ${cause.message}. Restore the file from a copy`,
    { partition, offset, file, byte },
    { cause },
  );
}

function checkOffset({ partition, offsets }: ReadableLog, offset: number): void {
  const { logStart, highWatermark } = offsets;
  if (Number.isSafeInteger(offset) && offset >= logStart && offset <= highWatermark) return;
  throw new OffsetOutOfRangeError(
    `offset ${offset} is not in partition ${partition}: it has offsets ${logStart} to ${highWatermark}`,
    { partition, offset, expected: offset > highWatermark ? highWatermark : logStart },
  );
}
