/** Checks the batches of appends down to the last record, in the order of the calls. */
import type { RecordBatch } from "@logstore/codec";
import { AT_ONCE_BATCHES, AT_ONCE_BYTES, checkLater } from "./check-later.js";

/** Checks the appends of one partition. */
export class AppendCheck {
  readonly #refuseWhenFull: (checkingBytes: number, moreBytes: number) => void;
  /** Bytes of appends whose records are being checked, or wait for it. */
  #checkingBytes = 0;

  /**
   * @param refuseWhenFull throws a BufferFullError if so many bytes are being checked that no more
   * may wait
   */
  constructor(refuseWhenFull: (checkingBytes: number, moreBytes: number) => void) {
    this.#refuseWhenFull = refuseWhenFull;
  }

  /**
   * Checks the batches, then calls `append`, and returns its result. A long append is checked in
   * slices, and later appends are checked after it: `append` is called in the order of the calls.
   *
   * @throws the errors of `verify` and `checkRecords`; BufferFullError; what `append` throws
   */
  check<T>(batches: readonly RecordBatch[], byteLength: number, append: () => T): T | Promise<Awaited<T>> {
    const recordsBytes = batches.reduce((sum, { recordsLength }) => sum + recordsLength, 0);
    const isLong = recordsBytes > AT_ONCE_BYTES || batches.length > AT_ONCE_BATCHES;
    if (isLong || this.#checkingBytes > 0) return this.#checkLater(batches, byteLength, append);
    for (const batch of batches) batch.verify().checkRecords();
    return append();
  }

  async #checkLater<T>(batches: readonly RecordBatch[], byteLength: number, append: () => T): Promise<Awaited<T>> {
    this.#refuseWhenFull(this.#checkingBytes, byteLength);
    this.#checkingBytes += byteLength;
    try {
      await checkLater(this, batches);
      // Called before the bytes are no longer counted: a call in between would overtake this one.
      return append() as Awaited<T>;
    } finally {
      this.#checkingBytes -= byteLength;
    }
  }
}
