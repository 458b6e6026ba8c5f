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
   * Returns undefined if the batches were checked synchronously. A long append is checked in
   * slices, and later appends are checked after it.
   *
   * @throws the errors of `verify` and `checkRecords`; BufferFullError
   */
  check(batches: readonly RecordBatch[], byteLength: number): Promise<void> | undefined {
    const recordsBytes = batches.reduce((sum, { recordsLength }) => sum + recordsLength, 0);
    const isLong = recordsBytes > AT_ONCE_BYTES || batches.length > AT_ONCE_BATCHES;
    if (isLong || this.#checkingBytes > 0) return this.#checkLater(batches, byteLength);
    for (const batch of batches) batch.verify().checkRecords();
    return undefined;
  }

  async #checkLater(batches: readonly RecordBatch[], byteLength: number): Promise<void> {
    this.#refuseWhenFull(this.#checkingBytes, byteLength);
    this.#checkingBytes += byteLength;
    try {
      await checkLater(this, batches);
    } finally {
      this.#checkingBytes -= byteLength;
    }
  }
}
