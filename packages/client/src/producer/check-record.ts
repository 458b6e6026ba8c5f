import { InvalidArgumentError, shown } from "@logstore/codec";
import { msOf, type Time } from "../common/position.js";
import { timeOfTurn } from "../common/time-of-turn.js";
import type { ProducerRecord } from "./producer-record.js";

/** A record without its value, which is checked by its format. */
type Envelope = Omit<ProducerRecord<unknown>, "value">;

/** @throws InvalidArgumentError that names the wrong property */
export function checkRecord(record: Envelope): void {
  if (typeof record !== "object" || record === null) {
    throw new InvalidArgumentError(`a record must be an object with a value, not ${shown(record)}`);
  }
  const { key, headers, partition } = record;
  if (typeof key !== "string" && key !== undefined && key !== null && !isBytes(key)) {
    throw wrong("key", "a string, a Uint8Array or null", key);
  }
  if (partition !== undefined && !Number.isInteger(partition)) throw wrong("partition", "a whole number", partition);
  if (headers === undefined) return;
  if (!Array.isArray(headers)) throw wrong("headers", "a list of { name, value }", headers);
  for (const header of headers) {
    const { name, value } = Object(header);
    if (typeof name !== "string") throw wrong("name of a header", "a string", name);
    if (!isBytes(value)) throw wrong("value of a header", "a string or a Uint8Array", value);
  }
}

/**
 * Returns the record's timestamp, by default the time of this turn of the event loop.
 *
 * @throws InvalidArgumentError
 */
export function timestampOf({ timestamp }: Envelope): number {
  return timestamp === undefined ? timeOfTurn() : givenTimestamp(timestamp);
}

function givenTimestamp(timestamp: Time): number {
  const ms = msOf(timestamp);
  if (ms !== undefined) return ms;
  const given = timestamp instanceof Date ? "an invalid Date" : shown(timestamp);
  throw new InvalidArgumentError(
    `the timestamp of a record must be a Date or a whole number of ms since the epoch, not ${given}`,
  );
}

function isBytes(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array;
}

function wrong(what: string, expected: string, value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`the ${what} of a record must be ${expected}, not ${shown(value)}`);
}
