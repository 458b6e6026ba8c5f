/** Who owns the memory of batches that were read, and how much of it there may be. */

/**
 * A memory budget that many readers share. A read takes bytes from it; they are returned when the
 * memory is freed, which the receiver of the batches signals with {@link BatchesEvent.release}.
 */
export interface ReadBudget {
  /**
   * Takes bytes for a read and returns their number: at most `wantedBytes`, but at least
   * `leastBytes`, because a batch is never split. Returns a promise if the reader has to wait; it
   * rejects when the read is cancelled. A reader makes one call at a time, and only while it holds
   * no bytes that it would not return in the meantime: otherwise two readers could wait for each
   * other forever.
   */
  take(wantedBytes: number, leastBytes: number): number | Promise<number>;
  /** Like `take`, but returns 0 instead of waiting: for a reader that holds bytes. */
  tryTake(wantedBytes: number, leastBytes: number): number;
  giveBack(bytes: number): void;
}

/** Batches in memory that is owned by their receiver. */
export interface OwnedBatches {
  /** Whole batches. Their buffer is not written to or reused while they are referenced. */
  readonly batches: Uint8Array;
  /** Number of free bytes before `batches` in its buffer. */
  readonly headroomBytes: number;
  /**
   * Frees the buffer at once and returns its bytes to the budget; `batches` and all views of it are
   * empty afterwards. For a receiver that knows that they are no longer used. If it is not called,
   * the garbage collector frees the buffer. Default: there is nothing to free.
   */
  readonly release?: (() => void) | undefined;
}
