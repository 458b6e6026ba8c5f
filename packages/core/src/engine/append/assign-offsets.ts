/** Assigns offsets to the batches of an append, or refuses it. Shared by all engines. */
import { InvalidArgumentError, type RecordBatch, WrongExpectedOffsetError } from "@logstore/codec";
import type { Appended } from "../partition-log.js";
import type { ProducerState } from "./producer-state.js";

/** An append whose offsets are not assigned yet. */
export interface Unplaced {
  readonly batches: readonly RecordBatch[];
  readonly expectedOffset: number | undefined;
}

/** Where the next batch goes. */
export interface LogEnd {
  readonly offset: number;
  /** That of the last batch, ms since the epoch; 0 if there is none. */
  readonly appendTime: number;
}

/** Values shared by the appends of one write. */
export interface Place {
  readonly partition: number;
  readonly producers: ProducerState;
  /** ms since the epoch. */
  readonly now: number;
  /** Every record below this offset is durable. */
  readonly flushedUpTo: number;
}

/** The offsets of one append. */
export interface Assigned {
  /** The new batches, with their offsets. */
  readonly accepted: readonly RecordBatch[];
  /** The end of the log once they are written. */
  readonly logEnd: LogEnd;
  readonly appended: Omit<Appended, "durability">;
}

/**
 * Assigns the offsets from `logEnd` on to the batches of an append, except for those that are in
 * the log already, and append times that never decrease. The caller calls `producers.written()`
 * when the batches are written.
 *
 * @throws WrongExpectedOffsetError, OutOfOrderSequenceError, ProducerFencedError; then nothing is
 * remembered
 */
export function assignOffsets({ batches, expectedOffset }: Unplaced, logEnd: LogEnd, place: Place): Assigned {
  const { partition, producers, now, flushedUpTo } = place;
  const known = producers.check(batches);
  // For batches that are in the log already, the expected offset is compared with their original
  // offset.
  const isNew = known.includes(undefined);
  if (isNew && expectedOffset !== undefined && expectedOffset !== logEnd.offset) {
    throw wrongExpectedOffset(partition, expectedOffset, logEnd.offset);
  }
  const accepted: RecordBatch[] = [];
  let end = logEnd.offset;
  let { appendTime } = logEnd;
  for (const [i, batch] of batches.entries()) {
    if (known[i] !== undefined) continue;
    appendTime = appendTimeOf(batch, appendTime, now);
    const placed = batch.accept({ baseOffset: end, appendTime, flushedUpTo });
    producers.appended(placed);
    accepted.push(placed);
    end = placed.nextOffset;
  }
  const lastKnown = known.at(-1);
  return {
    accepted,
    logEnd: { offset: end, appendTime },
    appended: {
      baseOffset: known[0] ?? logEnd.offset,
      nextOffset: lastKnown === undefined ? end : lastKnown + batches.at(-1)!.recordCount,
      duplicate: accepted.length === 0 && batches.length > 0,
    },
  };
}

/**
 * A copy keeps the time of the original, if that is between the time of the previous batch and now.
 * The time never goes back, because look-ups by time rely on it.
 */
function appendTimeOf({ appendTime }: RecordBatch, previous: number, now: number): number {
  return Math.max(previous, appendTime === 0 ? now : Math.min(appendTime, now));
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
