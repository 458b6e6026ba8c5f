/**
 * The baseline of `for await` over records: an iterator that only decodes them, from batches in
 * memory.
 */

import type { ConsumerRecord } from "@logstore/client";
import { frameBatches, type RecordBatch, type RecordCursor } from "@logstore/codec";
import { sealedBatch } from "../sealed-batch.ts";

class ByHand implements AsyncIterator<ConsumerRecord, undefined> {
  readonly #batches: Iterator<RecordBatch>;
  #cursor: RecordCursor | undefined;

  constructor(batches: Iterator<RecordBatch>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<ConsumerRecord, undefined>> {
    while (this.#cursor === undefined || !this.#cursor.next()) {
      const { value: batch } = this.#batches.next();
      if (batch === undefined) return Promise.resolve({ done: true, value: undefined });
      this.#cursor = batch.verify().cursor();
    }
    const { offset, timestamp, key, value, headers } = this.#cursor;
    return Promise.resolve({
      done: false,
      value: { topic: "topic", partition: 0, offset, timestamp, key, value, headers },
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function* batchesOf(message: Uint8Array, messages: number): Generator<RecordBatch, void> {
  for (let i = 0; i < messages; i++) yield* frameBatches(message);
}

/** Iterates over the records of that many messages, and returns their number. */
export async function iterateByHand(messages: number): Promise<number> {
  let records = 0;
  for await (const { value } of new ByHand(batchesOf(sealedBatch().batch, messages))) if (value.length > 0) records++;
  return records;
}
