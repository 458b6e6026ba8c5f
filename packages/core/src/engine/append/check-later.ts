/**
 * Checks appends with so many records that checking them at once would block the event loop: they
 * are checked in slices, one append of the process after another, so that their decompressed
 * records do not fill the memory either. Partitions take turns: however many such appends one of
 * them has waiting, another one waits for the current append and one more.
 */
import type { RecordBatch } from "@logstore/codec";
import { Pacer } from "../../pacing/pacer.js";

/**
 * Up to this size, decompressed, records are checked synchronously, which takes some ms at most.
 */
export const AT_ONCE_BYTES = 1024 * 1024;
/** Largest number of batches that are checked synchronously. */
export const AT_ONCE_BATCHES = 1_000;

/** Short, because the next slice starts right after the other work of the event loop. */
const SLICE_MS = 1;

/** Waiting appends by partition; the partition whose turn is next comes first. */
const waiting = new Map<object, (() => Promise<void>)[]>();
let isRunning = false;

/**
 * Checks the appends of each partition in the order of the calls. @throws the errors of `verify`
 * and `checkRecords`
 */
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
    if (queue.length > 0) waiting.set(partition, queue); // at the end, behind the other partitions
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
