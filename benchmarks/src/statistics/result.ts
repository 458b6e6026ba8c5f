/** What a workload found. */
import { figureOf, type Goal, type Ratio, ratioOf, type Series } from "./spread.ts";

export interface Result {
  /** Stable, as `embedded.append`. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** In the order in which they ran. */
  readonly series: readonly Series[];
  readonly ratios: readonly Ratio[];
}

interface Names {
  readonly title: string;
  readonly unit: string;
  readonly goal?: Goal;
}

const OURS = "LogStore";

/** LogStore and one baseline; the i-th runs of both form a pair. */
export function against(
  { title, unit, goal, baseline }: Names & { readonly baseline: string },
  ours: readonly number[],
  limit: readonly number[],
): Result {
  const name = slug(title);
  const series = [
    { contestant: OURS, values: ours },
    { contestant: baseline, values: limit },
  ];
  return { name, title, unit, series, ratios: [ratioOf(`${name}.${slug(baseline)}`, series[0], series[1], goal)] };
}

/** A result without a baseline, or why it has no values. */
export function figure({ title, unit, goal }: Names, values: readonly number[], absence?: string): Result {
  const name = slug(title);
  const series = { contestant: OURS, values, absence };
  return { name, title, unit, series: [series], ratios: [figureOf(name, series, goal)] };
}

/** LogStore in several situations, as logs of several sizes: the last one ÷ the first one. */
export function situations(
  { name, title, unit, goal }: Names & { readonly name: string },
  values: Readonly<Record<string, readonly number[]>>,
): Result {
  const series = Object.entries(values).map(([situation, found]) => {
    return { contestant: `${OURS}, ${situation}`, values: found };
  });
  return { name, title, unit, series, ratios: [ratioOf(name, series.at(-1), series[0], goal)] };
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
