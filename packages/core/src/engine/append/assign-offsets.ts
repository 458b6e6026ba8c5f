/** Which offsets an append gets, or why it is refused. Every engine assigns them here. */
import { InvalidArgumentError, type RecordBatch, WrongExpectedOffsetError } from "@logstore/codec";
import type { Appended } from "../partition-log.js";
import type { ProducerState } from "./producer-state.js";

/** What is to be appended, as a whole. */
export interface Unplaced {
  readonly batches: readonly RecordBatch[];
  readonly expectedOffset: number | undefined;
}

/** What the appends of one write have in common. */
export interface Place {
  readonly partition: number;
  readonly producers: ProducerState;
  /** ms since the epoch; never less than that of the append before. */
  readonly appendTime: number;
  /** Every offset below this one is durable. */
  readonly flushedUpTo: number;
}

/** The offsets of one append. */
export interface Assigned {
  /** The batches that are new, with their offsets. */
  readonly accepted: readonly RecordBatch[];
  /** The log end offset once they are written. */
  readonly logEnd: number;
  readonly appended: Omit<Appended, "durability">;
}

/**
 * Gives an append's batches the offsets from `logEnd` on, leaving out those that are in the log
 * already. `producers.written()` is to be called when they are written.
 *
 * @throws WrongExpectedOffsetError, OutOfOrderSequenceError, ProducerFencedError, and nothing is
 * remembered
 */
export function assignOffsets({ batches, expectedOffset }: Unplaced, logEnd: number, place: Place): Assigned {
  const { partition, producers, appendTime, flushedUpTo } = place;
  const known = producers.check(batches);
  // What is in the log already was expected to go where it went.
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
 * Checks that an expected offset is an offset.
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
