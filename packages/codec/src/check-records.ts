/** Checks every record of a batch by decoding it. */
import { InvalidArgumentError } from "./errors.js";
import { MAX_HEADERS_PER_RECORD } from "./limits.js";
import { areOrdinaryRecords } from "./ordinary-records.js";
import { RecordCursor } from "./record-cursor.js";

/** Records and headers checked between two pauses: about 1 ms of work. */
const RECORDS_A_STEP = 50_000;

export interface BatchPosition {
  readonly baseOffset: number;
  readonly recordCount: number;
  readonly baseTimestamp: number;
}

/**
 * Checks some of the records in each step.
 *
 * @param records the records of the batch, decompressed
 * @throws CorruptBatchError, InvalidArgumentError
 */
export function* checkRecords(
  records: Uint8Array,
  { baseOffset, recordCount, baseTimestamp }: BatchPosition,
): Generator<void, void> {
  if (areOrdinaryRecords(records, recordCount, baseTimestamp)) return;
  yield;
  const cursor = new RecordCursor(records, baseOffset, recordCount, baseTimestamp);
  for (let checked = 0; cursor.next(); checked++) {
    if (cursor.hasHeaders) {
      const headers = cursor.countHeaders(MAX_HEADERS_PER_RECORD);
      if (headers > MAX_HEADERS_PER_RECORD) throw tooManyHeaders(cursor.offset);
      checked += headers;
    }
    if (checked < RECORDS_A_STEP) continue;
    checked = 0;
    yield;
  }
}

function tooManyHeaders(offset: number): InvalidArgumentError {
  return new InvalidArgumentError(`a record has more than ${MAX_HEADERS_PER_RECORD} headers: put them into its value`, {
    offset,
    expected: MAX_HEADERS_PER_RECORD,
  });
}
