/** Medians and spreads of the rounds of a run, and ratios between contestants. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What one contestant did in each round. */
export interface Series {
  readonly contestant: string;
  /** One value per round, in the unit of the result. Empty if it is absent. */
  readonly values: readonly number[];
  /** Version and settings, for the reader of the figures. */
  readonly setup?: string | undefined;
  /**
   * Why there are no values, as "skipped: there is no redis-server" or "failed: it did not start".
   */
  readonly absence?: string | undefined;
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** A figure of LogStore, or its ratio to that of another contestant, round by round. */
export interface Ratio {
  /** Stable, as `embedded.append.lmdb`. */
  readonly name: string;
  readonly of: string;
  /** Undefined if the figure itself is judged. */
  readonly to?: string | undefined;
  readonly spread?: Spread | undefined;
  readonly goal?: Goal | undefined;
  /** Of the median. */
  readonly met?: boolean | undefined;
  /** Why there is no ratio. It is neither met nor missed then. */
  readonly notMeasured?: string | undefined;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** The i-th values of both series are of the same round. */
export function ratioOf(name: string, of: Series | undefined, to: Series | undefined, goal?: Goal): Ratio {
  const names = { name, of: of?.contestant ?? "LogStore", to: to?.contestant ?? "nobody", goal };
  const missing = [of, to].find((series) => series === undefined || series.values.length === 0);
  if (of === undefined || to === undefined || missing !== undefined) {
    return { ...names, notMeasured: reasonOf(missing) };
  }
  const spread = spreadOf(of.values.map((value, i) => value / to.values[i]!));
  return { ...names, spread, met: goal && isMet(goal, spread.median) };
}

/** Judges the figure itself. */
export function figureOf(name: string, of: Series, goal?: Goal): Ratio {
  if (of.values.length === 0) return { name, of: of.contestant, goal, notMeasured: reasonOf(of) };
  const spread = spreadOf(of.values);
  return { name, of: of.contestant, spread, goal, met: goal && isMet(goal, spread.median) };
}

/** The contestant with the best median; undefined if none has values. */
export function bestOf(series: readonly Series[], better: "higher" | "lower"): Series | undefined {
  const sign = better === "higher" ? -1 : 1;
  const present = series.filter(({ values }) => values.length > 0);
  return present.toSorted((a, b) => sign * (median(a.values) - median(b.values)))[0];
}

const SKIPPED = "skipped: ";

/** As "there is no redis-server", or "Redis, ioredis failed: it did not start". */
function reasonOf(missing: Series | undefined): string {
  if (missing === undefined) return "no other system takes part";
  const { contestant, absence = "has no values" } = missing;
  return absence.startsWith(SKIPPED) ? absence.slice(SKIPPED.length) : `${contestant} ${absence}`;
}

function isMet(goal: Goal, value: number): boolean {
  return "atLeast" in goal ? value >= goal.atLeast : value <= goal.atMost;
}
