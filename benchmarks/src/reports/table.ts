/** Prints results as tables on stdout. */
import type { Result } from "../statistics/result.ts";
import { type Goal, type Ratio, type Spread, spreadOf } from "../statistics/spread.ts";

export function printResult({ title, unit, series, ratios }: Result): void {
  console.log(`\n${title}`);
  const rows = series.map(({ contestant, values, skipped }) => {
    if (values.length === 0) return [contestant, `skipped: ${skipped}`];
    const { median, min, max } = spreadOf(values);
    const ratio = ratios.find(({ to }) => to === contestant)?.spread;
    const compared = ratio === undefined ? "" : `LogStore ÷ it: ${quantity(ratio.median)}`;
    return [contestant, `${quantity(median)} ${unit}`, `${quantity(min)}–${quantity(max)}`, compared];
  });
  printRows(rows);
}

/** All ratios, with their goals. */
export function printRatios(results: readonly Result[]): void {
  const ratios = results.flatMap((result) => result.ratios);
  const judged = ratios.filter(({ goal }) => goal !== undefined);
  if (judged.length === 0) return;
  console.log("\nGoals");
  printRows(judged.map(rowOf));
  const met = judged.filter((ratio) => ratio.met === true).length;
  const skipped = judged.filter((ratio) => ratio.skipped !== undefined).length;
  console.log(`\n${met} of ${judged.length} goals met, ${skipped} skipped`);
}

function rowOf({ name, spread, goal, met, skipped }: Ratio): string[] {
  if (spread === undefined) return [name, "", goalText(goal!), `skipped: ${skipped}`];
  return [name, textOf(spread), goalText(goal!), met === true ? "met" : "missed"];
}

export function goalText(goal: Goal): string {
  return "atLeast" in goal ? `≥ ${quantity(goal.atLeast)}` : `≤ ${quantity(goal.atMost)}`;
}

export function textOf({ median, min, max }: Spread): string {
  return `${quantity(median)} (${quantity(min)}–${quantity(max)})`;
}

/** A noisy machine does not justify more than three digits. */
export function quantity(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 3;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

function printRows(rows: readonly (readonly string[])[]): void {
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => (row.length > 2 ? (row[column] ?? "") : (row[0] ?? "")).length)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column < 3 && row.length > 2 ? cell.padEnd(widths[column]!) : column === 0 ? cell.padEnd(widths[0]!) : cell,
    );
    console.log(`  ${cells.join("  ").trimEnd()}`);
  }
}
