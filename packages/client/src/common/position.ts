import { InvalidArgumentError, type OptionRule, oneOf, shown, wholeNumber } from "@logstore/codec";
import type { Position } from "@logstore/protocol";

/** ms since the epoch, or a Date. */
export type Time = number | Date;

/** An offset, an end of the log, or the first record that was appended at or after a time. */
export type PositionInput = Extract<Position, number | string> | { readonly time: Time };

/**
 * Converts a time to ms since the epoch. Returns undefined for an invalid Date and for other
 * values.
 */
export function msOf(time: unknown): number | undefined {
  const ms = time instanceof Date ? time.getTime() : time;
  return Number.isSafeInteger(ms) ? (ms as number) : undefined;
}

const offset = wholeNumber();
const edge = oneOf("earliest", "latest");

/** The rule of an option that takes "earliest", "latest" or a time. */
export const edgeOrTimeRule: OptionRule = (value, name) => {
  if (edge(value, name) === undefined) return undefined;
  const isTime = typeof value === "object" && value !== null && msOf((value as { time?: unknown }).time) !== undefined;
  return isTime ? undefined : '"earliest", "latest" or { time: a Date or a whole number of ms since the epoch }';
};

export const positionRule: OptionRule = (value, name) => {
  const expected = edgeOrTimeRule(value, name);
  return expected === undefined || offset(value, name) === undefined ? undefined : `an offset, ${expected}`;
};

/**
 * Converts a position to the type of the API.
 *
 * @throws InvalidArgumentError
 */
export function toPosition(owner: string, name: string, input: PositionInput): Position {
  const expected = positionRule(input, name);
  if (expected === undefined) return typeof input === "object" ? { time: msOf(input.time)! } : input;
  throw new InvalidArgumentError(`${owner}: ${name} must be ${expected}, not ${shownPosition(input)}`);
}

function shownPosition(input: unknown): string {
  if (typeof input !== "object" || input === null || !("time" in input)) return shown(input);
  const { time } = input;
  return `{ time: ${time instanceof Date ? "Invalid Date" : shown(time)} }`;
}
