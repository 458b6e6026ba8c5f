import { InvalidArgumentError } from "@logstore/codec";
import { type Position, type PositionMessage, positionFromMessage } from "@logstore/protocol";

/** @throws InvalidArgumentError */
export function positionOf(message: PositionMessage | null | undefined): Position {
  const position = positionFromMessage(message);
  if (position === undefined) throw new InvalidArgumentError("a position needs an offset, an edge or a time");
  return position;
}

/**
 * A position that is there but not understood is refused: the default would read something else
 * than was meant.
 */
export function optionalPosition(message: PositionMessage | null | undefined): Position | undefined {
  return message ? positionOf(message) : undefined;
}
