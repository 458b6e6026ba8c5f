/** The summary at the end: with tables, or on a terminal, where the bars remain, without them. */
import type { TopicDescription } from "@logstore/client";
import { bad, bold, dim } from "./colours.ts";
import { type DelaysByOrigin, MIN_FLIGHTS } from "./delays.ts";

export interface Outcome {
  readonly topic: TopicDescription;
  readonly owners: Record<"atFirst" | "inTheEnd", readonly (string | undefined)[]>;
  readonly origins: readonly Set<string>[];
  readonly delays: DelaysByOrigin;
  /** The member that was killed. */
  readonly victim: string;
  readonly produced: number;
  readonly producedMs: number;
  readonly consumed: number;
  readonly consumedMs: number;
  readonly redelivered: number;
  readonly restarts: number;
}

export function printSummary(outcome: Outcome): void {
  console.log();
  console.log(`Produced and durable: ${rate(outcome.produced, outcome.producedMs)}`);
  console.log(`Consumed: ${rate(outcome.consumed, outcome.consumedMs)}`);
  const { victim, owners, redelivered, restarts } = outcome;
  if (process.stdout.isTTY) {
    printDelays(outcome.delays);
  } else {
    printTables(outcome);
    const orphaned = [...owners.atFirst.keys()].filter((partition) => owners.atFirst[partition] === victim);
    console.log(`${victim} killed half-way, its partitions taken over: ${orphaned.join(", ")}`);
  }
  console.log(`delivered again: ${redelivered.toLocaleString("en")} flights`);
  if (restarts > 0) console.log(`server killed and started again: ${restarts} times`);
}

function rate(count: number, durationMs: number): string {
  const perSecond = Math.round((count / durationMs) * 1000).toLocaleString("en");
  return `${count.toLocaleString("en")} flights in ${(durationMs / 1000).toFixed(2)} s, ${perSecond} a second`;
}

function printDelays(delays: DelaysByOrigin): void {
  console.log(bold(`\nWorst mean delay, of the airports with ${MIN_FLIGHTS} flights or more:\n`));
  for (const { origin, flights, mean } of delays.worst()) {
    const bar = bad("█".repeat(Math.round(mean * 2)));
    console.log(`  ${origin} ${bar} ${bold(mean.toFixed(1))} minutes ${dim(`(${flights} flights)`)}`);
  }
  console.log();
}

function printTables({ topic, owners, origins, delays }: Outcome): void {
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
  console.log(`\nWorst mean delay, of the airports with ${MIN_FLIGHTS} flights or more:`);
  console.table(delays.worst().map(({ origin, flights, mean }) => ({ origin, flights, "mean delay (min)": mean })));
}
