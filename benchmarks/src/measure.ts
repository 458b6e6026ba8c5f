/**
 * Measures LogStore and its baseline in alternating runs, so that a drift of the machine's speed
 * affects both; the result is the ratio.
 */

/** Number of units that a run processed, and its duration. */
export interface Run {
  readonly units: number;
  readonly ms: number;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly measured: Spread;
  /** The baseline; the ratio is ours to the baseline, of the pairs of runs. */
  readonly limit?: { readonly name: string; readonly measured: Spread; readonly ratio: Spread };
  /** For the ratio if there is a baseline, otherwise for the value. */
  readonly target?: Target | undefined;
}

export interface Names {
  readonly name: string;
  readonly limitName: string;
  readonly unit: string;
  readonly target?: Target;
}

/** Compares the throughput of LogStore and of a baseline, in units per second. */
export async function compare(
  names: Names,
  rounds: number,
  ours: () => Promise<Run>,
  limit: () => Promise<Run>,
): Promise<Result> {
  const runs = await inTurns(rounds, { limit, ours });
  return against(names, runs.ours.map(rate), runs.limit.map(rate));
}

/** Runs all sides once per round, in the order given, and returns the results of each. */
export async function inTurns<Sides extends Record<string, () => Promise<unknown>>>(
  rounds: number,
  sides: Sides,
): Promise<{ [Side in keyof Sides]: Awaited<ReturnType<Sides[Side]>>[] }> {
  const outcomes: Record<string, unknown[]> = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  // Warm-up: round 0 is slow and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [side, run] of Object.entries(sides)) {
      const outcome = await run();
      if (round > 0) outcomes[side]!.push(outcome);
    }
  }
  return outcomes as { [Side in keyof Sides]: Awaited<ReturnType<Sides[Side]>>[] };
}

/** The i-th runs of both sides form a pair. */
export function against(names: Names, ours: readonly number[], limit: readonly number[]): Result {
  const { name, unit, target, limitName } = names;
  const ratio = spread(ours.map((value, i) => value / limit[i]!));
  return { name, unit, target, measured: spread(ours), limit: { name: limitName, measured: spread(limit), ratio } };
}

/** A result without a baseline. */
export function figure(names: Omit<Names, "limitName">, values: readonly number[]): Result {
  return { ...names, measured: spread(values) };
}

export async function timed(units: number, work: () => Promise<void> | void): Promise<Run> {
  const start = performance.now();
  await work();
  return { units, ms: performance.now() - start };
}

/** Units per second. */
export function rate({ units, ms }: Run): number {
  return (units / ms) * 1000;
}

/** Durations of single operations, in µs. */
export async function latencies(count: number, work: (i: number) => Promise<void> | void): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await work(i);
    times.push((performance.now() - start) * 1000);
  }
  return times;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
