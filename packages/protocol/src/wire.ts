/** Where a protobuf message says something in another way than the API: both directions, side by side. */
import type { Durability, Position } from "./log-api.js";

/** Enum `Durability` of log.proto. */
const durabilities = [undefined, "written", "flushed"] as const;

export function durabilityToNumber(durability: Durability | undefined): number {
  return durabilities.indexOf(durability);
}

/** A number that this release does not know asks for the most: nothing weaker than what was meant. */
export function durabilityFromNumber(value: number): Durability | undefined {
  return value === 0 ? undefined : (durabilities[value] ?? "flushed");
}

/** Message `Position` of log.proto. */
export interface PositionMessage {
  offset?: number | undefined;
  edge?: number | undefined;
  time?: number | undefined;
}

/** Enum `Edge` of log.proto. */
const edges = [undefined, "earliest", "latest"] as const;

export function positionToMessage(position: Position): PositionMessage {
  if (typeof position === "number") return { offset: position };
  if (typeof position === "string") return { edge: edges.indexOf(position) };
  return { time: position.time };
}

/** Undefined where the message is absent or says nothing that this release knows. */
export function positionFromMessage(message: PositionMessage | null | undefined): Position | undefined {
  if (message?.offset !== undefined) return message.offset;
  if (message?.time !== undefined) return { time: message.time };
  return edges[message?.edge ?? 0];
}
