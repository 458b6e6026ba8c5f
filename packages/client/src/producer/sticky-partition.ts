/**
 * The partition of records without a key: one until it has got a batch's worth or its batch has
 * left, then the next. Batches are as full as they can be, and every partition gets as many.
 */
export class StickyPartition {
  readonly #batchBytes: number;
  #partition = 0;
  #bytes = 0;

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
  }

  /** Where the last record went. */
  get partition(): number {
    return this.#partition;
  }

  /**
   * For a record of so many bytes.
   *
   * @param hasOpenBatch whether the partition of the last one has a batch that takes more
   */
  next(bytes: number, hasOpenBatch: boolean, partitionCount: number): number {
    if (this.#bytes > 0 && (!hasOpenBatch || this.#bytes + bytes > this.#batchBytes)) {
      this.#partition = (this.#partition + 1) % partitionCount;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    return this.#partition;
  }
}
