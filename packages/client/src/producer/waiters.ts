import type { Durability } from "@logstore/protocol";
import type { AppendAck } from "./append-ack.js";

/** Receives the outcomes of records. */
export interface Waiter {
  /** Called with the acknowledgement of a record, or of several that follow each other. */
  resolve(ack: AppendAck): void;
  /** Called with the number of records that failed together. */
  reject(error: unknown, count: number): void;
}

/**
 * Acknowledges the records of a batch, of which the first has the offset `baseOffset`. A waiter of
 * several records that follow each other is called once.
 *
 * @param waiters one for each record, in order
 */
export function resolveAll(
  waiters: readonly Waiter[],
  topic: string,
  partition: number,
  baseOffset: number,
  durability: Durability,
): void {
  for (let start = 0; start < waiters.length; ) {
    const end = endOfRun(waiters, start);
    const [offset, nextOffset] = [baseOffset + start, baseOffset + end];
    waiters[start]!.resolve({ topic, partition, offset, nextOffset, durability });
    start = end;
  }
}

/** Rejects the records of a batch. */
export function rejectAll(waiters: readonly Waiter[], error: unknown): void {
  for (let start = 0; start < waiters.length; ) {
    const end = endOfRun(waiters, start);
    waiters[start]!.reject(error, end - start);
    start = end;
  }
}

/** Returns the index of the next record that has another waiter than the record at `start`. */
function endOfRun(waiters: readonly Waiter[], start: number): number {
  const waiter = waiters[start];
  let end = start + 1;
  while (end < waiters.length && waiters[end] === waiter) end++;
  return end;
}
