/** Assigns offsets to the batches of an append, or refuses it. Shared by all engines. */
import { InvalidArgumentError, type RecordBatch, WrongExpectedOffsetError } from "@logstore/codec";
import type { Appended } from "../partition-log.js";
import type { ProducerState } from "./producer-state.js";

/** An append whose offsets are not assigned yet. */
export interface Unplaced {
  readonly batches: readonly RecordBatch[];
  readonly expectedOffset: number | undefined;
}

/** Values shared by the appends of one write. */
export interface Place {
  readonly partition: number;
  readonly producers: ProducerState;
  /** ms since the epoch; never less than that of the previous append. */
  readonly appendTime: number;
  /** Every record below this offset is durable. */
  readonly flushedUpTo: number;
}

/** The offsets of one append. */
export interface Assigned {
  /** The new batches, with their offsets. */
  readonly accepted: readonly RecordBatch[];
  /** The log end offset once they are written. */
  readonly logEnd: number;
  readonly appended: Omit<Appended, "durability">;
}

/**
 * Assigns the offsets from `logEnd` on to the batches of an append, except for those that are in
 * the log already. The caller calls `producers.written()` when the batches are written.
 *
 * @throws WrongExpectedOffsetError, OutOfOrderSequenceError, ProducerFencedError; then nothing is
 * remembered
 */
export function assignOffsets({ batches, expectedOffset }: Unplaced, logEnd: number, place: Place): Assigned {
  const { partition, producers, appendTime, flushedUpTo } = place;
  const known = producers.check(batches);
  // For batches that are in the log already, the expected offset is compared with their original
  // offset.
  const isNew = known.includes(undefined);
  if (isNew && expectedOffset !== undefined && expectedOffset !== logEnd) {
    throw wrongExpectedOffset(partition, expectedOffset, logEnd);
  }
  const accepted: RecordBatch[] = [];
  let end = logEnd;
  for (const [i, batch] of batches.entries()) {
    if (known[i] !== undefined) continue;
    const placed = batch.accept({ baseOffset: end, appendTime, flushedUpTo });
    producers.appended(placed);
    accepted.push(placed);
    end = placed.nextOffset;
  }
  const lastKnown = known.at(-1);
  return {
    accepted,
    logEnd: end,
    appended: {
      baseOffset: known[0] ?? logEnd,
      nextOffset: lastKnown === undefined ? end : lastKnown + batches.at(-1)!.recordCount,
      duplicate: accepted.length === 0 && batches.length > 0,
    },
  };
}

/**
 * Checks that an expected offset is a valid offset.
 *
 * @throws InvalidArgumentError
 */
export function checkExpectedOffset(expectedOffset: number | undefined): void {
  if (expectedOffset === undefined || (Number.isSafeInteger(expectedOffset) && expectedOffset >= 0)) return;
  throw new InvalidArgumentError(`expected offset ${expectedOffset} is not an offset`);
}

function wrongExpectedOffset(partition: number, expected: number, actual: number): WrongExpectedOffsetError {
  return new WrongExpectedOffsetError(
    `offset ${expected} was expected to be the log end offset of partition ${partition}, which is ${actual}: read what came between, and decide again`,
    { partition, expected, actual },
  );
}
