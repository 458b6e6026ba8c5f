/**
 * The data: 20,000 flights within the United States in 2001, from the npm package vega-datasets.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";

export const Flight = z.object({
  /** Local time of departure, "2001/01/01 00:47". */
  date: z.string(),
  /** Minutes; negative for an early arrival. */
  delay: z.number(),
  /** Miles. */
  distance: z.number(),
  origin: z.string(),
  destination: z.string(),
});

export type Flight = z.infer<typeof Flight>;

export const TOPIC = "flights";
export const PARTITIONS = 10;
export const GROUP = "delays";

/** Name of the header that contains a flight's position in the input. */
export const LINE = "line";

export function readFlights(): Flight[] {
  const file = new URL("../data/flights-20k.json", import.meta.resolve("vega-datasets"));
  return JSON.parse(readFileSync(file, "utf8"));
}

/** ms since the epoch; the local time is treated as UTC. */
export function departureTime(flight: Flight): number {
  return Date.parse(`${flight.date.replaceAll("/", "-").replace(" ", "T")}:00Z`);
}
