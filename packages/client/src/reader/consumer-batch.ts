import { InvalidArgumentError, type RecordBatch, type RecordCursor } from "@logstore/codec";
import type { ConsumerRecord, RecordFormat } from "./consumer-record.js";
import type { Merge } from "./merge.js";
import type { PartitionState } from "./partition-state.js";

/** A batch that was read and verified. Iterating over it decodes its records one by one. */
export class ConsumerBatch<T, K> implements Iterable<ConsumerRecord<T, K>> {
  readonly topic: string;
  readonly partition: number;
  /**
   * Offset of the first record delivered; later than that of the batch if reading started within
   * it.
   */
  readonly baseOffset: number;
  /** Offset after the last record delivered. */
  readonly nextOffset: number;
  /** The encoded batch, whole even if reading starts or ends within it. */
  readonly bytes: Uint8Array;
  readonly #batch: RecordBatch;
  readonly #state: PartitionState;
  readonly #format: RecordFormat<T, K>;

  /** @internal Made by the iterators of batches. */
  constructor(batch: RecordBatch, state: PartitionState, format: RecordFormat<T, K>) {
    this.topic = state.topic;
    this.partition = state.partition;
    this.baseOffset = Math.max(batch.baseOffset, state.position!);
    this.nextOffset = Math.min(batch.nextOffset, state.end!);
    this.bytes = batch.bytes;
    this.#batch = batch;
    this.#state = state;
    this.#format = format;
  }

  /**
   * Iterates over the records.
   *
   * @throws InvalidValueError; InvalidArgumentError where the schema is async: iterate over records
   * instead of batches
   */
  *[Symbol.iterator](): Generator<ConsumerRecord<T, K>, void, undefined> {
    for (const cursor = this.#cursor(); this.#next(cursor); ) {
      if (cursor.offset < this.baseOffset) continue;
      if (cursor.offset >= this.nextOffset) return;
      const record = this.#format.decode(cursor, this.#state);
      if (!(record instanceof Promise)) yield record;
      else throw asyncSchemaError(record);
    }
  }

  #cursor(): RecordCursor {
    return placing(this.#state, () => this.#batch.cursor());
  }

  #next(cursor: RecordCursor): boolean {
    return placing(this.#state, () => cursor.next());
  }
}

/**
 * Returns the next batch with records in the partition's range, if one is available, and moves the
 * position of its partition past it.
 */
export function nextBatch<T, K>(
  merge: Merge,
  format: RecordFormat<T, K>,
): { readonly state: PartitionState; readonly batch: ConsumerBatch<T, K> } | undefined {
  for (;;) {
    const next = merge.nextBatch();
    if (next === undefined) return undefined;
    const { state } = next.fetcher;
    const batch = new ConsumerBatch(next.batch, state, format);
    if (batch.baseOffset >= batch.nextOffset) continue;
    state.position = batch.nextOffset;
    return { state, batch };
  }
}

export function placing<R>(state: PartitionState, work: () => R): R {
  try {
    return work();
  } catch (error) {
    throw state.place(error);
  }
}

function asyncSchemaError(record: Promise<unknown>): InvalidArgumentError {
  record.catch(() => {});
  return new InvalidArgumentError("the schema is async, and batches need a sync one: iterate over records instead");
}
