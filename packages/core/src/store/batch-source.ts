/**
 * The verified batches of one partition from a position on. They are read in chunks of many, and
 * those of a chunk are taken without a wait.
 */
import { ClosedError, OffsetOutOfRangeError, RecordBatch } from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import { gapPassed } from "../engine/read/checked-read.js";
import { ReadAhead } from "../engine/read/read-ahead.js";
import type { OwnedChunk } from "../engine/read/read-in-budget.js";
import type { ReadableLog } from "../partition/read/readable-log.js";
import type { SkippedRecords } from "./call-options.js";

/** Size of a read, in bytes: many records share its cost, and it is far below memory limits. */
const CHUNK_BYTES = 512 * 1024;

export interface BatchSourceOptions {
  readonly from: Position;
  /**
   * Whether to wait at the end of the log for more records, or to stop at the high watermark as of
   * the first read.
   */
  readonly follow: boolean;
  /** See {@link ReadOptions.onSkipped}. */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
  /** Aborting it ends a wait: {@link BatchSource.readOn} throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export class BatchSource {
  /** Records before it are not wanted, although the first batch may have some. */
  from = 0;
  readonly #log: ReadableLog;
  readonly #options: BatchSourceOptions;
  readonly #stop = new AbortController();
  readonly #wake: AbortSignal;
  /** Offset at which the log ends for this source. */
  #end = Number.POSITIVE_INFINITY;
  /** Undefined until the first read. */
  #reader: ReadAhead | undefined;
  /** The chunk whose batches are being taken, and the position of the next one. */
  #chunk: OwnedChunk | undefined;
  #at = 0;

  constructor(log: ReadableLog, options: BatchSourceOptions) {
    const { signal: stop } = this.#stop;
    this.#log = log;
    this.#options = options;
    this.#wake = options.signal === undefined ? stop : AbortSignal.any([options.signal, stop]);
  }

  /**
   * Returns the next batch of those that were read; undefined if there is none, see {@link readOn}.
   *
   * @throws CorruptPartitionError
   */
  next(): RecordBatch | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return undefined;
    const batch = RecordBatch.parse(chunk.bytes, this.#at, this.#log.limits);
    this.#at += batch.byteLength;
    if (this.#at >= chunk.bytes.length) this.#chunk = undefined;
    try {
      return batch.verify();
    } catch (error) {
      throw this.#log.noteCorrupt(batch, chunk, error as Error);
    }
  }

  /**
   * Reads the next batches, and waits for them where it follows the log. Resolves to false at the
   * end, and after a {@link stop}.
   */
  async readOn(): Promise<boolean> {
    const log = this.#log;
    this.#reader ??= await this.#begin();
    while (this.#reader.offset < this.#end) {
      if (this.#stop.signal.aborted) return false;
      this.#options.signal?.throwIfAborted();
      const expected = this.#reader.offset;
      try {
        this.#chunk = await this.#reader.next();
        this.#at = 0;
      } catch (error) {
        this.from = this.#skipDeleted(expected, error);
        this.#reader = this.#readFrom(this.from);
        continue;
      }
      const { offset } = this.#reader;
      const gap = gapPassed(log, expected, this.#chunk, offset);
      if (gap !== undefined) this.#skipped(gap.firstOffset, gap.nextOffset);
      if (this.#chunk !== undefined) return true;
      if (offset >= this.#end) break; // only a gap was left
      log.checkEnd();
      await log.waitBeyond(offset, this.#wake);
      if (log.isClosed) throw new ClosedError("the log store was closed", { partition: log.partition });
    }
    log.checkEnd();
    return false;
  }

  /** Ends a wait. No batch is taken afterwards. */
  stop(): void {
    this.#stop.abort();
  }

  async #begin(): Promise<ReadAhead> {
    const { from, follow } = this.#options;
    const log = this.#log;
    const resolved = await log.resolve(from);
    // The log start may have moved while the position was looked up.
    this.from = typeof from === "number" ? resolved : Math.max(resolved, log.offsets.logStart);
    if (!follow) this.#end = log.offsets.highWatermark;
    return this.#readFrom(this.from);
  }

  #readFrom(offset: number): ReadAhead {
    return new ReadAhead(this.#log.reader(offset), { maxBytes: CHUNK_BYTES, until: this.#end });
  }

  /**
   * If a read failed because the records were deleted, returns the offset at which to continue.
   *
   * @throws the error, if it has another cause
   */
  #skipDeleted(expected: number, error: unknown): number {
    const { logStart } = this.#log.offsets;
    if (!(error instanceof OffsetOutOfRangeError) || expected >= logStart) throw error;
    this.#skipped(expected, logStart);
    return logStart;
  }

  #skipped(from: number, to: number): void {
    this.#options.onSkipped?.({ partition: this.#log.partition, from, to });
  }
}
