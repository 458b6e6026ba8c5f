/** The summary that is printed at the end. */
import type { TopicDescription } from "@logstore/client";

/** Airports with fewer flights are not significant. */
const MIN_FLIGHTS = 30;
const AIRPORTS_SHOWN = 5;

export class DelaysByOrigin {
  readonly #byOrigin = new Map<string, { flights: number; minutes: number }>();

  add(origin: string, delay: number): void {
    const known = this.#byOrigin.get(origin) ?? { flights: 0, minutes: 0 };
    this.#byOrigin.set(origin, { flights: known.flights + 1, minutes: known.minutes + delay });
  }

  print(): void {
    const rows = Array.from(this.#byOrigin, ([origin, { flights, minutes }]) => ({
      origin,
      flights,
      "mean delay (min)": Number((minutes / flights).toFixed(1)),
    }));
    const shown = rows
      .filter(({ flights }) => flights >= MIN_FLIGHTS)
      .sort((a, b) => b["mean delay (min)"] - a["mean delay (min)"])
      .slice(0, AIRPORTS_SHOWN);
    console.log(`\nWorst mean delay, of the airports with ${MIN_FLIGHTS} flights or more:`);
    console.table(shown);
  }
}

export function printPartitions(
  topic: TopicDescription,
  owners: Record<"atFirst" | "inTheEnd", readonly (string | undefined)[]>,
  origins: readonly Set<string>[],
): void {
  console.log("\nPartitions:");
  console.table(
    topic.partitions.map(({ partition, logStartOffset, highWatermark }) => ({
      "start offset": logStartOffset,
      "end offset": highWatermark,
      origins: origins[partition]?.size ?? 0,
      "owner at first": owners.atFirst[partition],
      "in the end": owners.inTheEnd[partition],
    })),
  );
}

export function printRate(what: string, count: number, durationMs: number): void {
  const rate = Math.round((count / durationMs) * 1000).toLocaleString("en");
  console.log(`${what}: ${count} flights in ${Math.round(durationMs)} ms, ${rate} a second`);
}
