/** Reads a log in memory: copies batches into a buffer of the caller's own. */
import { ClosedError, OffsetOutOfRangeError, type RecordBatch } from "@logstore/codec";
import {
  BatchTooLongToRead,
  type Chunk,
  type LogReader,
  type PartitionLog,
  type ReadOptions,
} from "../engine/partition-log.js";
import { bufferFor } from "../engine/read/buffers.js";

interface Source extends Pick<PartitionLog, "partition" | "offsets" | "isClosed"> {
  batchesFrom(offset: number): Iterable<RecordBatch>;
}

export class MemoryReader implements LogReader {
  readonly #log: Source;
  #offset: number;

  constructor(log: Source, offset: number) {
    this.#log = log;
    this.#offset = offset;
    const isThere = Number.isSafeInteger(offset) && offset <= log.offsets.highWatermark;
    if (!isThere || offset < log.offsets.logStart) throw this.#outOfRange();
  }

  get offset(): number {
    return this.#offset;
  }

  async next({ maxBytes, headroomBytes = 0, isStrict, until }: ReadOptions): Promise<Chunk | undefined> {
    const { partition, offsets, isClosed } = this.#log;
    const end = Math.min(offsets.highWatermark, until ?? Number.POSITIVE_INFINITY);
    if (this.#offset >= end) return undefined;
    if (isClosed) throw new ClosedError("the log was closed", { partition });
    if (this.#offset < offsets.logStart) throw this.#outOfRange(); // deleted since
    const batches: RecordBatch[] = [];
    let byteLength = 0;
    for (const batch of this.#log.batchesFrom(this.#offset)) {
      const isTooMuch = batches.length > 0 && byteLength + batch.byteLength > maxBytes;
      if (batch.baseOffset >= end || isTooMuch) break;
      batches.push(batch);
      byteLength += batch.byteLength;
    }
    if (isStrict && byteLength > maxBytes) throw new BatchTooLongToRead(byteLength);
    const bytes = bufferFor(byteLength, headroomBytes);
    let at = 0;
    for (const batch of batches) {
      bytes.set(batch.bytes, at);
      at += batch.byteLength;
    }
    this.#offset = batches.at(-1)!.nextOffset;
    return { bytes, headroomBytes, nextOffset: this.#offset };
  }

  #outOfRange(): OffsetOutOfRangeError {
    const { partition, offsets } = this.#log;
    const offset = this.#offset;
    const { logStart, highWatermark } = offsets;
    return new OffsetOutOfRangeError(
      `partition ${partition} has offsets ${logStart} to ${highWatermark}, not ${offset}`,
      {
        partition,
        offset,
        expected: offset > highWatermark ? highWatermark : logStart,
      },
    );
  }
}
