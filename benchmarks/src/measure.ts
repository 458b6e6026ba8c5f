/** Ours beside its limit, in turns, so that a machine whose speed drifts is fair to both; what counts is the ratio. */

/** How many units one run did, and how long that took. */
export interface Run {
  readonly units: number;
  readonly ms: number;
}

export interface Comparison {
  readonly name: string;
  readonly limitName: string;
  readonly unit: string;
  /** Medians, units a second. */
  readonly ours: number;
  readonly limit: number;
  /** Of the pairs of runs. */
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number };
}

export async function compare(
  names: { name: string; limitName: string; unit: string },
  rounds: number,
  ours: () => Promise<Run>,
  limit: () => Promise<Run>,
): Promise<Comparison> {
  // Code that has not run yet is slow: one round does not count.
  await limit();
  await ours();
  const rates = { ours: [] as number[], limit: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    rates.limit.push(rate(await limit()));
    rates.ours.push(rate(await ours()));
  }
  const ratios = rates.ours.map((value, i) => value / rates.limit[i]!);
  const ratio = { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
  return { ...names, ours: median(rates.ours), limit: median(rates.limit), ratio };
}

export async function timed(units: number, work: () => Promise<void> | void): Promise<Run> {
  const start = performance.now();
  await work();
  return { units, ms: performance.now() - start };
}

function rate({ units, ms }: Run): number {
  return (units / ms) * 1000;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
