/**
 * Records of one partition as an async iterable, read in chunks of whole batches, each batch
 * verified.
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
import { stoppable } from "./stoppable.js";

/**
 * Bytes read at once: large enough that a chunk's costs are spread over many records, small beside
 * any memory limit.
 */
const CHUNK_BYTES = 512 * 1024;

export interface RecordStreamOptions {
  readonly from: Position;
  /**
   * Whether to wait for more at the log's end, or to end there: at the high watermark that held
   * when the reading began.
   */
  readonly follow: boolean;
  /** Told of records that are gone, behind which reading goes on. */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
  /** Ends a wait, and the iteration with it, by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The records of a partition from a position on, verified: for `for await`. */
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

  /** Whole batches instead of records: the first may begin before the position asked for. */
  batches(): AsyncGenerator<RecordBatch, void> {
    return stoppable((stop) => this.#wholeBatches(stop));
  }

  async *#wholeBatches(stop: AbortSignal): AsyncGenerator<RecordBatch, void> {
    for await (const { batch } of this.#batchesFrom(stop)) yield batch;
  }

  /** @param stop ends a wait, and the iteration with it, quietly */
  async *#batchesFrom(stop: AbortSignal): AsyncGenerator<{ batch: RecordBatch; from: number }, void> {
    const log = this.#log;
    const { follow, signal } = this.#options;
    const isExact = typeof this.#options.from === "number";
    const resolved = await log.resolve(this.#options.from);
    // The log's start may have moved while the position was looked up.
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
        if (reader.offset >= end) break; // nothing but a gap was left
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
   * Where to go on when the records to be read were deleted meanwhile. @throws the error where that
   * is not why it failed
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

/**
 * Written out by hand: a record in hand costs one resolved promise, not a generator's two turns.
 */
class RecordIterator implements AsyncIterator<LogRecord, undefined> {
  readonly #batches: AsyncGenerator<{ batch: RecordBatch; from: number }, void>;
  #cursor: RecordCursor | undefined;
  #from = 0;
  /** Calls of `next` that wait, each for the one before it. */
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(batches: AsyncGenerator<{ batch: RecordBatch; from: number }, void>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<LogRecord, undefined>> {
    const cursor = this.#cursor;
    if (this.#waiting === 0 && cursor?.next()) return Promise.resolve({ value: cursor.record, done: false });
    this.#waiting++;
    const next = this.#last.then(() => this.#advance());
    const done = () => {
      this.#waiting--;
    };
    this.#last = next.then(done, done);
    return next;
  }

  async return(): Promise<IteratorResult<LogRecord, undefined>> {
    this.#cursor = undefined;
    await this.#batches.return();
    return { value: undefined, done: true };
  }

  async #advance(): Promise<IteratorResult<LogRecord, undefined>> {
    for (;;) {
      const cursor = this.#cursor;
      while (cursor?.next()) if (cursor.offset >= this.#from) return { value: cursor.record, done: false };
      this.#cursor = undefined;
      const { value, done } = await this.#batches.next();
      if (done || value === undefined) return { value: undefined, done: true };
      this.#from = value.from;
      this.#cursor = value.batch.cursor();
    }
  }
}
