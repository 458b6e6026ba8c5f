import type { RecordCursor } from "@logstore/codec";
import { placing } from "./consumer-batch.js";
import type { ConsumerRecord, RecordFormat } from "./consumer-record.js";
import type { Merge, MergedBatch } from "./merge.js";
import type { PartitionState } from "./partition-state.js";

/** The records of an iteration, one by one. */
export class RecordSource<T, K> {
  readonly #merge: Merge;
  readonly #format: RecordFormat<T, K>;
  #current: MergedBatch | undefined;
  #cursor: RecordCursor | undefined;

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
  pull(): ConsumerRecord<T, K> | Promise<ConsumerRecord<T, K> | undefined> | undefined {
    for (;;) {
      if (this.#cursor !== undefined) {
        const record = this.#pullFrom(this.#cursor, this.#current!);
        if (record !== undefined) return record;
      }
      const next = this.#merge.nextBatch();
      this.#current = next;
      this.#cursor = next && placing(next.fetcher.state, () => next.batch.cursor());
      if (next === undefined) return undefined;
    }
  }

  #pullFrom(cursor: RecordCursor, { fetcher }: MergedBatch) {
    const { state } = fetcher;
    try {
      while (!fetcher.isStopped && cursor.next()) {
        if (cursor.offset < state.position!) continue;
        if (cursor.offset >= state.end!) return undefined;
        const { offset } = cursor;
        const record = this.#format.decode(cursor, state);
        if (!(record instanceof Promise)) {
          state.position = offset + 1;
          return record;
        }
        return record.then((record) => {
          if (fetcher.isStopped) return undefined;
          state.position = offset + 1;
          return record;
        });
      }
    } catch (error) {
      throw state.place(error);
    }
    return undefined;
  }
}
