import { type ProducerStamp, RecordBatchBuilder, type RecordBatchBuilderOptions } from "@logstore/codec";
import type { AppendAck } from "./append-ack.js";
import { Batch } from "./batch.js";
import type { Entry } from "./entry.js";
import { limitedTo } from "./split-batch.js";

/**
 * Collects the records of a partition into batches. The open batch accepts more records; closed
 * batches wait to be sent.
 */
export class RecordAccumulator {
  #builderOptions: RecordBatchBuilderOptions;
  readonly #deliveryTimeoutMs: number;
  readonly #closed: Batch[] = [];
  #open: Batch | undefined;
  #spareBuilder: RecordBatchBuilder | undefined;

  constructor(builderOptions: RecordBatchBuilderOptions, deliveryTimeoutMs: number) {
    this.#builderOptions = builderOptions;
    this.#deliveryTimeoutMs = deliveryTimeoutMs;
  }

  get hasOpen(): boolean {
    return this.#open !== undefined;
  }

  get hasClosed(): boolean {
    return this.#closed.length > 0;
  }

  /**
   * Returns the promise of the record's acknowledgement, unless the entry has a waiter.
   *
   * @throws RecordTooLargeError, InvalidArgumentError; other records are not affected
   */
  append({ key, value, timestamp, headers, bytes, waiter }: Entry): Promise<AppendAck> | undefined {
    let batch = this.#open;
    if (batch === undefined || !batch.builder.append(key, value, timestamp, headers)) {
      batch = new Batch(this.#takeBuilder(), performance.now() + this.#deliveryTimeoutMs, this.#builderOptions);
      batch.builder.append(key, value, timestamp, headers);
      this.closeOpen();
      this.#open = batch;
    }
    batch.bufferedBytes += bytes;
    if (waiter === undefined) return batch.waiters.addSingle();
    batch.waiters.add(waiter);
    return undefined;
  }

  /** Limits batches from now on to `maxBatchBytes`, which is the topic's limit. */
  limitTo(maxBatchBytes: number): void {
    this.#builderOptions = limitedTo(this.#builderOptions, maxBatchBytes);
    this.#spareBuilder = undefined;
  }

  get builderOptions(): RecordBatchBuilderOptions {
    return this.#builderOptions;
  }

  /** Puts sealed batches before all others. */
  putBack(batches: readonly Batch[]): void {
    this.#closed.unshift(...batches);
  }

  /** Closes the open batch. */
  closeOpen(): void {
    if (this.#open !== undefined) this.#closed.push(this.#open);
    this.#open = undefined;
  }

  /** Removes and returns the next closed batch. */
  shift(): Batch | undefined {
    return this.#closed.shift();
  }

  /**
   * Seals a batch. This is done when it is sent, not when it is full, because its sequence number
   * is known only then.
   */
  seal(batch: Batch, stamp: ProducerStamp): void {
    batch.sealed = batch.builder.seal(stamp);
    // A builder with former limits cannot be reused.
    if (batch.builderOptions === this.#builderOptions) this.#spareBuilder = batch.builder;
  }

  batches(): Batch[] {
    return this.#open === undefined ? [...this.#closed] : [...this.#closed, this.#open];
  }

  #takeBuilder(): RecordBatchBuilder {
    const builder = this.#spareBuilder ?? new RecordBatchBuilder(this.#builderOptions);
    this.#spareBuilder = undefined;
    return builder;
  }
}
