/**
 * The records of one partition as an async iterable. They are read in chunks of whole batches, each
 * of which is verified.
 */
import {
  ClosedError,
  frameBatches,
  type LogRecord,
  OffsetOutOfRangeError,
  type RecordBatch,
  type RecordCursor,
} from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import { gapPassed } from "../engine/read/checked-read.js";
import { ReadAhead } from "../engine/read/read-ahead.js";
import type { OwnedChunk } from "../engine/read/read-in-budget.js";
import type { ReadableLog } from "../partition/read/readable-log.js";
import type { SkippedRecords } from "./call-options.js";
import { recordChunks } from "./record-chunks.js";
import { stoppable } from "./stoppable.js";

/** Size of a read, in bytes: many records share its cost, and it is far below memory limits. */
const CHUNK_BYTES = 512 * 1024;

export interface RecordStreamOptions {
  readonly from: Position;
  /**
   * Whether to wait at the end of the log for more records, or to stop at the high watermark as of
   * the start of the iteration.
   */
  readonly follow: boolean;
  /** See {@link ReadOptions.onSkipped}. */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
  /** Aborting it ends the iteration, also during a wait: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Iterates over the verified records of a partition from a position on, with `for await`: one by
 * one, in {@link chunks}, or in whole {@link batches}. Records are views of memory that no later
 * read changes, so they may be kept; a kept record keeps the memory of its neighbours.
 */
export class RecordStream implements AsyncIterable<LogRecord> {
  readonly #log: ReadableLog;
  readonly #options: RecordStreamOptions;

  /** @internal */
  constructor(log: ReadableLog, options: RecordStreamOptions) {
    this.#log = log;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<LogRecord, undefined> {
    return new RecordIterator(stoppable((stop) => this.#batchesFrom(stop)));
  }

  /**
   * Iterates over arrays of 1 to 1,000 consecutive records, each a new array. It costs one promise
   * an array instead of one a record, and is several times as fast as the iteration over records.
   *
   * ```ts
   * for await (const records of store.read(0).chunks()) {
   *   for (const { offset, value } of records) index(offset, value);
   * }
   * ```
   *
   * The records before damage are delivered first; the call after that throws. Leaving the loop
   * ends the read. It throws what an iteration over the records throws.
   */
  chunks(): AsyncGenerator<LogRecord[], void> {
    return stoppable((stop) => this.#recordChunks(stop));
  }

  /** Iterates over whole batches. The first one may begin before the requested position. */
  batches(): AsyncGenerator<RecordBatch, void> {
    return stoppable((stop) => this.#wholeBatches(stop));
  }

  async *#recordChunks(stop: AbortSignal): AsyncGenerator<LogRecord[], void> {
    for await (const { batch, from } of this.#batchesFrom(stop)) {
      for (const chunk of recordChunks(batch.cursor(), from)) yield chunk;
    }
  }

  async *#wholeBatches(stop: AbortSignal): AsyncGenerator<RecordBatch, void> {
    for await (const { batch } of this.#batchesFrom(stop)) yield batch;
  }

  /** @param stop aborting it ends the iteration without an error, also during a wait */
  async *#batchesFrom(stop: AbortSignal): AsyncGenerator<{ batch: RecordBatch; from: number }, void> {
    const log = this.#log;
    const { follow, signal } = this.#options;
    const isExact = typeof this.#options.from === "number";
    const resolved = await log.resolve(this.#options.from);
    // The log start may have moved while the position was looked up.
    let from = isExact ? resolved : Math.max(resolved, log.offsets.logStart);
    const wake = signal === undefined ? stop : AbortSignal.any([signal, stop]);
    const end = follow ? Number.POSITIVE_INFINITY : log.offsets.highWatermark;
    const readFrom = (offset: number) => new ReadAhead(log.reader(offset), { maxBytes: CHUNK_BYTES, until: end });
    let reader = readFrom(from);
    while (reader.offset < end) {
      if (stop.aborted) return;
      signal?.throwIfAborted();
      const expected = reader.offset;
      let chunk: OwnedChunk | undefined;
      try {
        chunk = await reader.next();
      } catch (error) {
        from = this.#skipDeleted(expected, error);
        reader = readFrom(from);
        continue;
      }
      const gap = gapPassed(log, expected, chunk, reader.offset);
      if (gap !== undefined) this.#skipped(gap.firstOffset, gap.nextOffset);
      if (chunk === undefined) {
        if (reader.offset >= end) break; // only a gap was left
        log.checkEnd();
        await log.waitBeyond(reader.offset, wake);
        if (log.isClosed) throw new ClosedError("the log store was closed", { partition: log.partition });
        continue;
      }
      for (const batch of frameBatches(chunk.bytes, log.limits)) {
        if (batch.baseOffset >= end) return;
        yield { batch: this.#verified(batch, chunk), from };
      }
    }
    log.checkEnd();
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

  #verified(batch: RecordBatch, chunk: OwnedChunk): RecordBatch {
    try {
      return batch.verify();
    } catch (error) {
      throw this.#log.noteCorrupt(batch, chunk, error as Error);
    }
  }
}

/** Not a generator: a record of the current batch takes one resolved promise, not two turns. */
class RecordIterator implements AsyncIterator<LogRecord, undefined> {
  readonly #batches: AsyncGenerator<{ batch: RecordBatch; from: number }, void>;
  #cursor: RecordCursor | undefined;
  #from = 0;
  /** Number of pending calls of `next`. Each waits for the previous one. */
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(batches: AsyncGenerator<{ batch: RecordBatch; from: number }, void>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<LogRecord, undefined>> {
    try {
      const cursor = this.#cursor;
      if (this.#waiting === 0 && cursor?.next()) return Promise.resolve({ value: cursor.record, done: false });
    } catch (error) {
      return this.#failed(error);
    }
    return this.#nextInTurn();
  }

  async return(): Promise<IteratorResult<LogRecord, undefined>> {
    this.#cursor = undefined;
    await this.#batches.return();
    return { value: undefined, done: true };
  }

  /** Apart from {@link next}, which would otherwise make the objects for a wait at each call. */
  #nextInTurn(): Promise<IteratorResult<LogRecord, undefined>> {
    this.#waiting++;
    const next = this.#last.then(() => this.#advance());
    const done = () => {
      this.#waiting--;
    };
    this.#last = next.then(done, done);
    return next;
  }

  async #advance(): Promise<IteratorResult<LogRecord, undefined>> {
    try {
      for (;;) {
        const cursor = this.#cursor;
        while (cursor?.next()) if (cursor.offset >= this.#from) return { value: cursor.record, done: false };
        this.#cursor = undefined;
        const { value, done } = await this.#batches.next();
        if (done || value === undefined) return { value: undefined, done: true };
        this.#from = value.from;
        this.#cursor = value.batch.cursor();
      }
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** `for await` does not close an iterator that has failed. */
  async #failed(error: unknown): Promise<never> {
    this.#cursor = undefined;
    await this.#batches.return().catch(() => {}); // the first error is the one to report
    throw error;
  }
}
