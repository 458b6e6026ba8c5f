import type { RecordCursor } from "@logstore/codec";
import { placing } from "./consumer-batch.js";
import type { ConsumerRecord, RecordFormat } from "./consumer-record.js";
import type { Merge, MergedBatch } from "./merge.js";
import type { PartitionState } from "./partition-state.js";

/** Bounds the memory of the decoded records, however many records a batch has. */
const MAX_CHUNK_RECORDS = 1_000;

/**
 * An item if one is available. A promise resolves to undefined if the item is not wanted any more.
 */
type Pulled<Item> = Item | Promise<Item | undefined> | undefined;

/** The records of an iteration, one by one or in chunks. */
export class RecordSource<T, K> {
  readonly #merge: Merge;
  readonly #format: RecordFormat<T, K>;
  #current: MergedBatch | undefined;
  #cursor: RecordCursor | undefined;
  /** The error of the record after the last chunk. */
  #failure: { readonly error: unknown } | undefined;

  constructor(merge: Merge, format: RecordFormat<T, K>) {
    this.#merge = merge;
    this.#format = format;
  }

  /** The partition of the last record. */
  get state(): PartitionState {
    return this.#current!.fetcher.state;
  }

  /**
   * Returns the next record if one is available, and moves the position of its partition past it
   * once it is decoded. A promise resolves to undefined if the partition was removed or moved
   * meanwhile.
   */
  pull(): Pulled<ConsumerRecord<T, K>> {
    for (;;) {
      if (this.#cursor !== undefined) {
        const record = this.#pullFrom(this.#cursor, this.#current!);
        if (record !== undefined) return record;
      }
      if (!this.#nextBatch()) return undefined;
    }
  }

  /**
   * Like {@link pull}, for the next records of a batch. The records before one that cannot be
   * delivered are returned first; the next call throws.
   */
  pullChunk(): Pulled<ConsumerRecord<T, K>[]> {
    for (;;) {
      if (this.#cursor !== undefined && !this.#current!.fetcher.isStopped) {
        const chunk = this.#chunkFrom(this.#cursor, this.#current!);
        if (chunk !== undefined) return chunk;
      }
      if (!this.#nextBatch()) return undefined;
    }
  }

  #nextBatch(): boolean {
    const next = this.#merge.nextBatch();
    this.#failure = undefined;
    this.#current = next;
    this.#cursor = next && placing(next.fetcher.state, () => next.batch.cursor());
    return next !== undefined;
  }

  #pullFrom(cursor: RecordCursor, { fetcher }: MergedBatch): Pulled<ConsumerRecord<T, K>> {
    const { state } = fetcher;
    if (fetcher.isStopped) return undefined;
    const record = this.#decodeNext(cursor, state);
    if (record === undefined) return undefined;
    if (!(record instanceof Promise)) {
      state.position = record.offset + 1;
      return record;
    }
    return record.then((record) => {
      if (fetcher.isStopped) return undefined;
      state.position = record.offset + 1;
      return record;
    });
  }

  #chunkFrom(cursor: RecordCursor, current: MergedBatch): Pulled<ConsumerRecord<T, K>[]> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { state } = current.fetcher;
    const chunk: ConsumerRecord<T, K>[] = [];
    try {
      while (chunk.length < MAX_CHUNK_RECORDS) {
        const record = this.#decodeNext(cursor, state);
        if (record === undefined) break;
        if (record instanceof Promise) return this.#chunkLater(chunk, record, cursor, current);
        chunk.push(record);
      }
    } catch (error) {
      this.#failed(error, chunk);
    }
    return this.#finished(chunk, current);
  }

  /** Completes a chunk whose schema is async. */
  async #chunkLater(
    chunk: ConsumerRecord<T, K>[],
    first: Promise<ConsumerRecord<T, K>>,
    cursor: RecordCursor,
    current: MergedBatch,
  ): Promise<ConsumerRecord<T, K>[] | undefined> {
    const { fetcher } = current;
    let next: ConsumerRecord<T, K> | Promise<ConsumerRecord<T, K>> | undefined = first;
    try {
      while (next !== undefined) {
        chunk.push(await next);
        if (fetcher.isStopped) return undefined;
        next = chunk.length < MAX_CHUNK_RECORDS ? this.#decodeNext(cursor, fetcher.state) : undefined;
      }
    } catch (error) {
      this.#failed(error, chunk);
    }
    return this.#finished(chunk, current);
  }

  #failed(error: unknown, chunk: readonly unknown[]): void {
    if (chunk.length === 0) throw error;
    this.#failure = { error };
  }

  #finished(chunk: ConsumerRecord<T, K>[], { fetcher }: MergedBatch): ConsumerRecord<T, K>[] | undefined {
    const last = chunk.at(-1);
    if (last === undefined || fetcher.isStopped) return undefined;
    fetcher.state.position = last.offset + 1;
    return chunk;
  }

  /**
   * Decodes the next record in the partition's range. Returns undefined at the end of the batch.
   */
  #decodeNext(
    cursor: RecordCursor,
    state: PartitionState,
  ): ConsumerRecord<T, K> | Promise<ConsumerRecord<T, K>> | undefined {
    try {
      while (cursor.next()) {
        if (cursor.offset < state.position!) continue;
        return cursor.offset < state.end! ? this.#format.decode(cursor, state) : undefined;
      }
      return undefined;
    } catch (error) {
      throw state.place(error);
    }
  }
}
