/**
 * Appends with so many records that checking them at once would hold the event loop: they are checked in slices, one append of the
 * process after another, so that their unpacked records do not fill the memory either.
 */
import type { RecordBatch } from "@logstore/codec";
import { Pacer } from "../storage/pacer.js";

/** Records of this length, unpacked, are checked at once: some ms at most. */
export const AT_ONCE_BYTES = 1024 * 1024;

let last: Promise<unknown> = Promise.resolve();

/** In the order of the calls. @throws what `verify` and `checkRecords` throw */
export function checkLater(batches: readonly RecordBatch[]): Promise<void> {
  const checked = last.then(() => check(batches));
  last = checked.catch(() => {});
  return checked;
}

async function check(batches: readonly RecordBatch[]): Promise<void> {
  const pacer = new Pacer();
  for (const batch of batches) {
    await batch.verify().checkRecordsLater(() => pacer.pause());
    await pacer.pause();
  }
}
