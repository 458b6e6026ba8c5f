import { InvalidArgumentError } from "@logstore/codec";
import { type Position, type PositionMessage, positionFromMessage } from "@logstore/protocol";

/** @throws InvalidArgumentError */
export function positionOf(message: PositionMessage | null | undefined): Position {
  const position = positionFromMessage(message);
  if (position === undefined) throw new InvalidArgumentError("a position needs an offset, an edge or a time");
  return position;
}

/**
 * A position that is set but unknown is refused: the default would read something other than
 * requested.
 */
export function optionalPosition(message: PositionMessage | null | undefined): Position | undefined {
  return message ? positionOf(message) : undefined;
}
