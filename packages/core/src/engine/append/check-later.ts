/**
 * Appends with so many records that checking them at once would hold the event loop: they are
 * checked in slices, one append of the process after another, so that their unpacked records do not
 * fill the memory either. Partitions take turns: however many such appends one of them has waiting,
 * another waits for the one under way and one more.
 */
import type { RecordBatch } from "@logstore/codec";
import { Pacer } from "../../storage/pacer.js";

/** Records of this length, unpacked, are checked at once: some ms at most. */
export const AT_ONCE_BYTES = 1024 * 1024;
/** And so many batches. */
export const AT_ONCE_BATCHES = 1_000;

/** Short, since the next slice begins right after whatever else the event loop had to do. */
const SLICE_MS = 1;

/** By partition, the one whose turn is next first. */
const waiting = new Map<object, (() => Promise<void>)[]>();
let isRunning = false;

/** In the order of the calls, of each partition. @throws what `verify` and `checkRecords` throw */
export function checkLater(partition: object, batches: readonly RecordBatch[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const work = () => check(batches).then(resolve, reject);
    const queue = waiting.get(partition);
    if (queue === undefined) waiting.set(partition, [work]);
    else queue.push(work);
    if (!isRunning) void run();
  });
}

async function run(): Promise<void> {
  isRunning = true;
  for (let next = waiting.entries().next(); !next.done; next = waiting.entries().next()) {
    const [partition, queue] = next.value;
    const work = queue.shift()!;
    waiting.delete(partition);
    if (queue.length > 0) waiting.set(partition, queue); // behind the others
    await work();
  }
  isRunning = false;
}

async function check(batches: readonly RecordBatch[]): Promise<void> {
  const pacer = new Pacer(SLICE_MS);
  const pause = () => pacer.pause();
  for (const batch of batches) {
    await batch.verifyLater(pause);
    await batch.checkRecordsLater(pause);
    await pacer.pause();
  }
}
