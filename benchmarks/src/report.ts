/** Prints results as a table on stdout, and progress on stderr. */
import type { Result, Spread, Target } from "./measure.ts";

export function printResults(results: readonly Result[]): void {
  console.table(
    results.map(({ name, unit, measured, limit, target }) => {
      const judged = limit?.ratio ?? measured;
      return {
        what: name,
        measured: `${quantity(measured.median)} ${unit}`,
        limit: limit === undefined ? "" : `${quantity(limit.measured.median)} (${limit.name})`,
        ratio: limit === undefined ? "" : quantity(limit.ratio.median),
        "min–max": `${quantity(judged.min)}–${quantity(judged.max)}`,
        target: target === undefined ? "" : judgement(target, judged),
      };
    }),
  );
}

export function progress(text: string): void {
  console.error(`… ${text}`);
}

function judgement(target: Target, { median }: Spread): string {
  return "atLeast" in target
    ? `≥ ${quantity(target.atLeast)}: ${median >= target.atLeast ? "met" : "missed"}`
    : `≤ ${quantity(target.atMost)}: ${median <= target.atMost ? "met" : "missed"}`;
}

/** A noisy machine does not justify more than three digits. */
function quantity(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
