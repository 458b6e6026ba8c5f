/**
 * Chooses the partition of records without a key: one partition until it has received a batch's
 * worth of records or its batch was sent, then the next one. This fills batches and spreads records
 * evenly.
 */
export class StickyPartition {
  readonly #batchBytes: number;
  #partition = 0;
  #bytes = 0;

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
  }

  /** The partition of the last record. */
  get partition(): number {
    return this.#partition;
  }

  /**
   * Chooses the partition of a record of `bytes`.
   *
   * @param hasOpenBatch whether the partition of the last record has a batch that accepts more
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
