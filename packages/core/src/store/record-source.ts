/** The records of a {@link BatchSource}, one by one or in chunks. */
import type { LogRecord, RecordCursor } from "@logstore/codec";
import type { BatchSource } from "./batch-source.js";

/** Bounds the memory of the record objects, however many records a batch has. */
const MAX_CHUNK_RECORDS = 1_000;

/** Bounds the memory of the batches of a chunk, which may be decompressed. */
const MAX_CHUNK_BYTES = 512 * 1024;

export class RecordSource {
  readonly #batches: BatchSource;
  #cursor: RecordCursor | undefined;
  /** Length of the records of the last batch, in bytes. */
  #batchBytes = 0;
  /** Offset of the record after the last batch. */
  #batchEnd = 0;
  /** The error of the record after the last chunk. */
  #failure: { readonly error: unknown } | undefined;

  constructor(batches: BatchSource) {
    this.#batches = batches;
  }

  /** Returns the next record of the batches that were read; undefined if there is none. */
  next(): LogRecord | undefined {
    for (;;) {
      const cursor = this.#cursor;
      if (cursor?.next()) return cursor.record;
      if (!this.#nextBatch()) return undefined;
    }
  }

  /**
   * Returns the next records of the batches that were read, at least one; undefined if there is
   * none. The records before one that cannot be read are returned first; the next call throws.
   */
  nextChunk(): LogRecord[] | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    const chunk: LogRecord[] = [];
    let count = 0;
    try {
      for (let bytes = 0; count < MAX_CHUNK_RECORDS; ) {
        const cursor = this.#cursor;
        if (cursor?.next()) {
          // An array that grows is copied several times.
          if (count === 0) chunk.length = Math.min(this.#batchEnd - cursor.offset, MAX_CHUNK_RECORDS);
          chunk[count++] = cursor.record;
        } else if (bytes > MAX_CHUNK_BYTES || !this.#nextBatch()) break;
        else bytes += this.#batchBytes;
      }
    } catch (error) {
      if (count === 0) throw error;
      this.#failure = { error };
    }
    chunk.length = count;
    return count > 0 ? chunk : undefined;
  }

  #nextBatch(): boolean {
    const batch = this.#batches.next();
    const cursor = batch?.cursor();
    while (cursor !== undefined && cursor.offset + 1 < this.#batches.from && cursor.next());
    this.#cursor = cursor;
    this.#batchBytes = batch?.recordsLength ?? 0;
    this.#batchEnd = batch?.nextOffset ?? 0;
    return batch !== undefined;
  }
}
