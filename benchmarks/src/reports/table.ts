/** Prints results as tables on stdout. */
import type { BuildRatio } from "../statistics/builds.ts";
import type { Result } from "../statistics/result.ts";
import { type Ratio, spreadOf } from "../statistics/spread.ts";
import { goalText, quantity, spreadText } from "./text.ts";

export function printResult({ title, unit, series, ratios }: Result): void {
  console.log(`\n${title}`);
  printRows(
    series.map(({ contestant, values, absence }) => {
      if (values.length === 0) return [contestant, absence ?? ""];
      const { median, min, max } = spreadOf(values);
      const compared = ratios.flatMap(({ of, to, spread }) => {
        return to === contestant && spread !== undefined ? [`${of} ÷ it: ${quantity(spread.median)}`] : [];
      });
      return [contestant, `${quantity(median)} ${unit}`, `${quantity(min)}–${quantity(max)}`, compared.join("; ")];
    }),
  );
}

/** All ratios that have goals. */
export function printGoals(results: readonly Result[]): void {
  const ratios = results.flatMap((result) => result.ratios).filter(({ goal }) => goal !== undefined);
  if (ratios.length === 0) return;
  console.log("\nGoals");
  printRows(ratios.map(goalRow));
  const met = ratios.filter((ratio) => ratio.met === true).length;
  const absent = ratios.filter(({ spread }) => spread === undefined).length;
  console.log(`\n${met} of ${ratios.length} goals met, ${absent} not measured`);
}

export function printBuilds(ratios: readonly BuildRatio[]): void {
  console.log("\nThis build ÷ the other one");
  printRows(
    ratios.map(({ name, spread, verdict }) => [name, spread ? spreadText(spread) : "", verdict ?? "not measured"]),
  );
}

function goalRow({ name, spread, goal, met, notMeasured }: Ratio): string[] {
  if (spread === undefined) return [name, "", goalText(goal!), `not measured: ${notMeasured}`];
  return [name, spreadText(spread), goalText(goal!), met === true ? "met" : "missed"];
}

/** In columns; the last cell of a row may be of any length. */
function printRows(rows: readonly (readonly string[])[]): void {
  const widths = [0, 1, 2].map((column) =>
    Math.max(0, ...rows.map((row) => (column < row.length - 1 ? row[column]!.length : 0))),
  );
  for (const row of rows) console.log(`  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd());
}
