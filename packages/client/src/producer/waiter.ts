import type { AppendAck } from "./append-ack.js";

/** Receives the outcomes of records that follow each other in a batch. */
export interface Waiter {
  /** Called with the acknowledgement of a record, or of several that follow each other. */
  resolve(ack: AppendAck): void;
  /** Called with the number of records that failed together. */
  reject(error: unknown, count: number): void;
  /**
   * Called where the records are divided among several batches: returns the waiters of the parts,
   * which have `counts` records, in order.
   */
  divide(counts: readonly number[]): readonly Waiter[];
}
