/** The records of one partition as an async iterable. */
import type { LogRecord, RecordBatch } from "@logstore/codec";
import type { ReadableLog } from "../partition/read/readable-log.js";
import { BatchSource, type BatchSourceOptions } from "./batch-source.js";
import { PullIterator } from "./pull-iterator.js";
import { RecordSource } from "./record-source.js";

/**
 * Iterates over the verified records of a partition from a position on, with `for await`: one by
 * one, in {@link chunks}, or in whole {@link batches}. Records are views of memory that no later
 * read changes, so they may be kept; a kept record keeps the memory of its neighbours.
 */
export class RecordStream implements AsyncIterable<LogRecord> {
  readonly #log: ReadableLog;
  readonly #options: BatchSourceOptions;

  /** @internal */
  constructor(log: ReadableLog, options: BatchSourceOptions) {
    this.#log = log;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<LogRecord, undefined> {
    const batches = this.#batches();
    const records = new RecordSource(batches);
    return new PullIterator(batches, () => records.next());
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
    const batches = this.#batches();
    const records = new RecordSource(batches);
    return new PullIterator(batches, () => records.nextChunk());
  }

  /** Iterates over whole batches. The first one may begin before the requested position. */
  batches(): AsyncGenerator<RecordBatch, void> {
    const batches = this.#batches();
    return new PullIterator(batches, () => batches.next());
  }

  #batches(): BatchSource {
    return new BatchSource(this.#log, this.#options);
  }
}
