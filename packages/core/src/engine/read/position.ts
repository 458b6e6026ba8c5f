/** Positions and times as callers pass them: a Date is accepted in place of a time. */
import { InvalidArgumentError, shown } from "@logstore/codec";
import type { Position } from "@logstore/protocol";

/**
 * Converts to ms since the epoch. An invalid value is returned unchanged, and refused where it is
 * used.
 */
export function msOf(time: number | Date): number {
  return time instanceof Date ? time.getTime() : time;
}

/**
 * Returns the position with its time in ms. Does not check whether an offset exists.
 *
 * @throws InvalidArgumentError
 */
export function checkedPosition(position: Position): Position {
  if (typeof position === "number" || position === "earliest" || position === "latest") return position;
  const time = typeof position === "object" && position !== null ? msOf(position.time) : undefined;
  if (Number.isSafeInteger(time)) return { time: time! };
  throw new InvalidArgumentError(
    'a position must be an offset, "earliest", "latest" or { time: a Date or a whole number of ms since the epoch }, ' +
      `not ${shown(position)}`,
  );
}
