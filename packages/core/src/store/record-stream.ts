/** Records of one partition as an async iterable, read in chunks of whole batches, each batch verified. */
import {
  ClosedError,
  frameBatches,
  type LogRecord,
  type LogStoreError,
  type RecordBatch,
  type RecordCursor,
} from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import type { BatchReader } from "../partition/batch-reader.js";
import type { PartitionLog } from "../partition/partition-log.js";

/** Bytes read at once: large enough that a chunk's costs are spread over many records, small beside any memory limit. */
const CHUNK_BYTES = 512 * 1024;

export interface RecordStreamOptions {
  readonly from: Position;
  /** Whether to wait for more at the log's end, or to end there: at the high watermark that held when the reading began. */
  readonly follow: boolean;
  /** Ends a wait, and the iteration with it, by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export class RecordStream implements AsyncIterable<LogRecord> {
  readonly #log: PartitionLog;
  readonly #options: RecordStreamOptions;

  constructor(log: PartitionLog, options: RecordStreamOptions) {
    this.#log = log;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<LogRecord, undefined> {
    return new RecordIterator(this.#batchesFrom());
  }

  /** Whole batches instead of records: the first may begin before the position asked for. */
  async *batches(): AsyncGenerator<RecordBatch, void> {
    for await (const { batch } of this.#batchesFrom()) yield batch;
  }

  async *#batchesFrom(): AsyncGenerator<{ batch: RecordBatch; from: number }, void> {
    const log = this.#log;
    const { follow, signal } = this.#options;
    const from = await log.resolve(this.#options.from);
    const reader: BatchReader = log.reader(from);
    const end = follow ? Number.POSITIVE_INFINITY : log.offsets.highWatermark;
    while (reader.offset < end) {
      signal?.throwIfAborted();
      const chunk = await reader.next({ maxBytes: CHUNK_BYTES });
      if (chunk === undefined) {
        await log.waitBeyond(reader.offset, signal);
        if (log.isClosed) throw new ClosedError("the log store was closed", { partition: log.partition });
        continue;
      }
      for (const batch of frameBatches(chunk.bytes, log.limits)) {
        if (batch.baseOffset >= end) return;
        yield { batch: this.#verified(batch), from };
      }
    }
    // At a damaged place the log's end is not the end of what was appended.
    if (log.damage !== undefined) throw log.damage;
  }

  #verified(batch: RecordBatch): RecordBatch {
    try {
      return batch.verify();
    } catch (error) {
      throw (error as LogStoreError).with({ partition: this.#log.partition });
    }
  }
}

/** Written out by hand: a record in hand costs one resolved promise, not a generator's two turns. */
class RecordIterator implements AsyncIterator<LogRecord, undefined> {
  readonly #batches: AsyncGenerator<{ batch: RecordBatch; from: number }, void>;
  #cursor: RecordCursor | undefined;
  #from = 0;

  constructor(batches: AsyncGenerator<{ batch: RecordBatch; from: number }, void>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<LogRecord, undefined>> {
    const cursor = this.#cursor;
    if (cursor === undefined || !cursor.next() || cursor.offset < this.#from) return this.#advance();
    return Promise.resolve({ value: cursor.record, done: false });
  }

  async return(): Promise<IteratorResult<LogRecord, undefined>> {
    this.#cursor = undefined;
    await this.#batches.return();
    return { value: undefined, done: true };
  }

  async #advance(): Promise<IteratorResult<LogRecord, undefined>> {
    for (;;) {
      const { value, done } = await this.#batches.next();
      if (done || value === undefined) return { value: undefined, done: true };
      const cursor = value.batch.cursor();
      this.#from = value.from;
      this.#cursor = cursor;
      while (cursor.next()) if (cursor.offset >= value.from) return { value: cursor.record, done: false };
    }
  }
}
