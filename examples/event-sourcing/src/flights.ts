/**
 * The data: flights that departed from three airports in January 2001, from the npm package
 * vega-datasets.
 */
import { readFileSync } from "node:fs";

export const AIRPORTS = ["ATL", "DFW", "ORD"] as const;

export type AirportCode = (typeof AIRPORTS)[number];

export interface Flight {
  readonly origin: AirportCode;
  readonly destination: string;
  /** Local time of departure, "2001/01/01 00:47". */
  readonly date: string;
}

/** Returns the flights in the order of departure. */
export function readFlights(): Flight[] {
  const file = new URL("../data/flights-20k.json", import.meta.resolve("vega-datasets"));
  const flights: Flight[] = JSON.parse(readFileSync(file, "utf8"));
  return flights.filter(({ origin, date }) => AIRPORTS.includes(origin) && date.startsWith("2001/01/"));
}

/** Minutes since the epoch; the local time is treated as UTC. */
export function departureMinute({ date }: Flight): number {
  return Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}:00Z`) / 60_000;
}
