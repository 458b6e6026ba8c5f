/** Positions and times as callers give them: a Date is accepted wherever a time is. */
import { InvalidArgumentError, shown } from "@logstore/codec";
import type { Position } from "@logstore/protocol";

/** In ms since the epoch; what is no time stays as it is, and is refused where it is used. */
export function msOf(time: number | Date): number {
  return time instanceof Date ? time.getTime() : time;
}

/**
 * The position with its time in ms. Whether an offset exists is not looked at. @throws
 * InvalidArgumentError
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
