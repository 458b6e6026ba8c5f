/** Reads a partition in whole batches from an offset on, and keeps its position. */
import {
  ClosedError,
  type CorruptPartitionError,
  frameBatches,
  type LogStoreError,
  OffsetOutOfRangeError,
} from "@logstore/codec";
import { BatchTooLongToRead, type Chunk, type LogReader, type ReadOptions } from "../../engine/partition-log.js";
import { bufferFor, freeBuffer } from "../../engine/read/buffers.js";
import { isGap } from "../../files/checkpoint-file.js";
import { tell } from "../../hooks/hooks.js";
import { readBatches } from "../../segment/read-batches.js";
import type { Segment } from "../../segment/segment.js";
import { storageError } from "../../storage/storage-error.js";
import { damagedAt } from "./damage.js";
import type { ReadSource } from "./read-source.js";
import type { TailRead } from "./tail-cache.js";

/** A chunk, and the location of its bytes in the files. */
export interface FileChunk extends Chunk {
  readonly segment: Segment;
  readonly position: number;
}

export class BatchReader implements LogReader {
  readonly #log: ReadSource;
  #offset: number;
  #segment: Segment | undefined;
  #position = 0;
  /** Declared length of the batch at the position, if the last read has shown it. */
  #nextLength: number | undefined;

  /** @throws OffsetOutOfRangeError */
  constructor(log: ReadSource, offset: number) {
    checkOffset(log, offset);
    this.#log = log;
    this.#offset = offset;
  }

  /** Offset of the next record to read. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Returns the next batches; undefined at the high watermark, and if no more are needed.
   *
   * @throws CorruptPartitionError if the log is damaged; the error of {@link ReadSource.checkEnd}
   * @throws BatchTooLongToRead if the read is strict
   * @throws OffsetOutOfRangeError if the records to read were deleted
   */
  async next(options: ReadOptions): Promise<FileChunk | undefined> {
    const log = this.#log;
    const { until = Number.POSITIVE_INFINITY } = options;
    while (this.#offset < Math.min(log.offsets.highWatermark, until)) {
      if (log.isClosed) throw new ClosedError("the log was closed", { partition: log.partition });
      if (this.#offset < log.offsets.logStart) throw outOfRange(log, this.#offset); // deleted meanwhile
      const end = Math.min(log.offsets.highWatermark, until);
      const cached = this.#cached(end, options);
      if (cached !== undefined) {
        const { byteLength } = cached;
        if (options.isStrict && byteLength > options.maxBytes) throw new BatchTooLongToRead(byteLength);
        return this.#told(this.#fromMemory(cached, options), "memory");
      }
      const from = this.#offset;
      try {
        const chunk = await this.#fromDisk(options, end);
        if (chunk !== undefined) {
          log.wasRead(from, chunk.nextOffset);
          return this.#told(chunk, "disk");
        }
      } catch (error) {
        if (error instanceof BatchTooLongToRead) throw error;
        await log.refresh();
        const wasDeleted = this.#offset < log.offsets.logStart; // while it was being read
        if (error instanceof ClosedError && !log.isClosed && this.#segment !== undefined) {
          this.#segment = undefined; // it was deleted while the reader was at its end
          continue;
        }
        if (!wasDeleted) throw log.noteDamage(this.#unreadable(error));
      }
    }
    return this.#atEnd(until);
  }

  nextNow(options: ReadOptions): FileChunk | undefined | "later" {
    const log = this.#log;
    const { until = Number.POSITIVE_INFINITY } = options;
    const end = Math.min(log.offsets.highWatermark, until);
    if (this.#offset >= end) return this.#atEnd(until);
    if (log.isClosed || this.#offset < log.offsets.logStart) return "later";
    const cached = this.#cached(end, options);
    if (cached === undefined || cached.byteLength > options.maxBytes) return "later";
    return this.#told(this.#fromMemory(cached, options), "memory");
  }

  #atEnd(until: number): undefined {
    if (this.#offset < until) this.#log.checkEnd();
  }

  #cached(end: number, { maxBytes }: ReadOptions): TailRead | undefined {
    return this.#log.tail?.read(this.#offset, end, maxBytes);
  }

  #told(chunk: FileChunk, source: "memory" | "disk"): FileChunk {
    const { partition, hooks } = this.#log;
    tell(() => hooks.read?.({ partition, bytes: chunk.bytes.length, source }));
    return chunk;
  }

  #fromMemory({ batches, byteLength, segment, position }: TailRead, options: ReadOptions): FileChunk {
    const { headroomBytes = 0 } = options;
    const bytes = bufferFor(byteLength, headroomBytes);
    let at = 0;
    for (const batch of batches) {
      bytes.set(batch.bytes, at);
      at += batch.byteLength;
    }
    this.#offset = batches.at(-1)!.nextOffset;
    this.#goTo(segment, position + byteLength);
    return { bytes, headroomBytes, nextOffset: this.#offset, segment, position };
  }

  /** Returns undefined if nothing was found yet; the next call may find it. */
  async #fromDisk(options: ReadOptions, until: number): Promise<FileChunk | undefined> {
    const segment = await this.#locate();
    const end = await segment.visibleSize();
    if (this.#position >= end) {
      this.#leave(segment);
      return undefined;
    }
    const { limits } = this.#log;
    const range = { ...options, position: this.#position, firstLength: this.#nextLength, end, limits };
    const { bytes, nextLength } = await segment.read((file) => readBatches(file, range));
    const chunk = this.#accept(segment, bytes, options.headroomBytes ?? 0, until);
    this.#nextLength = this.#position === range.position + bytes.length ? nextLength : undefined;
    return chunk;
  }

  /**
   * File, position and length of the next whole batches, for callers that read them by themselves.
   */
  async slice(maxBytes: number): Promise<{ segment: Segment; position: number; length: number } | undefined> {
    const chunk = await this.next({ maxBytes });
    if (chunk === undefined) return undefined;
    return { segment: chunk.segment, position: chunk.position, length: chunk.bytes.length };
  }

  async #locate(): Promise<Segment> {
    if (this.#segment !== undefined) return this.#segment;
    const segment = this.#log.segments.find(this.#offset);
    if (segment === undefined) throw this.#damaged(this.#log.segments.first!, new Error("no file has it"), 0);
    this.#goTo(segment, (await segment.index()).positionOfOffset(this.#offset));
    return segment;
  }

  #leave(segment: Segment): void {
    const next = this.#log.segments.after(segment);
    if (next !== undefined && isGap(this.#log.gaps, this.#offset, next.baseOffset)) this.#offset = next.baseOffset;
    if (next === undefined || next.baseOffset !== this.#offset)
      throw this.#damaged(segment, new Error("the file ends early"), this.#position);
    this.#goTo(next, 0);
  }

  #goTo(segment: Segment, position: number): void {
    this.#segment = segment;
    this.#position = position;
    this.#nextLength = undefined;
  }

  /** Drops batches that end before the offset, because an index entry points to an earlier one. */
  #accept(segment: Segment, bytes: Uint8Array, headroomBytes: number, until: number): FileChunk | undefined {
    let at = 0;
    let skipped = 0;
    let isFirst = true;
    try {
      if (bytes.length === 0) throw new Error("the file ends early");
      for (const { baseOffset, nextOffset, byteLength } of frameBatches(bytes, this.#log.limits)) {
        if (this.#offset >= until) break;
        // A batch after the first one that is needed cannot be before it, whatever its header
        // declares.
        if (isFirst && nextOffset <= this.#offset) {
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
      // Valid batches before the damage are returned first; the next call reaches the damage again.
      if (at === skipped) throw this.#damaged(segment, error as Error, this.#position + at);
    }
    const position = this.#position + skipped;
    this.#position += at;
    if (at === skipped) {
      freeBuffer(bytes);
      return undefined;
    }
    return {
      bytes: bytes.subarray(skipped, at),
      headroomBytes: headroomBytes + skipped,
      nextOffset: this.#offset,
      segment,
      position,
    };
  }

  #unreadable(error: unknown): LogStoreError {
    const { partition } = this.#log;
    const offset = this.#offset;
    return storageError(error, `partition ${partition} cannot be read at offset ${offset}`, { partition, offset });
  }

  #damaged(segment: Segment, cause: Error, byte: number): CorruptPartitionError {
    return damagedAt(this.#log, segment, this.#offset, byte, cause);
  }
}

function checkOffset(log: ReadSource, offset: number): void {
  const { logStart, highWatermark } = log.offsets;
  if (Number.isSafeInteger(offset) && offset >= logStart && offset <= highWatermark) return;
  if (offset > highWatermark && log.damage !== undefined) throw log.damage;
  throw outOfRange(log, offset);
}

function outOfRange({ partition, offsets }: ReadSource, offset: number): OffsetOutOfRangeError {
  const { logStart, highWatermark } = offsets;
  return new OffsetOutOfRangeError(
    `offset ${offset} is not in partition ${partition}: it has offsets ${logStart} to ${highWatermark}`,
    { partition, offset, expected: offset > highWatermark ? highWatermark : logStart },
  );
}
