/**
 * Runs contestants in turn, A B A B …, so that a drift of the machine's speed affects all of them.
 */

/** Number of units that a run processed, and its duration. */
export interface Run {
  readonly units: number;
  readonly ms: number;
}

/**
 * Runs all sides once per round, in the order given, and returns the results of each. Round 0 warms
 * up and is not counted.
 */
export async function inTurns<Sides extends Record<string, () => Promise<unknown>>>(
  rounds: number,
  sides: Sides,
): Promise<{ [Side in keyof Sides]: Awaited<ReturnType<Sides[Side]>>[] }> {
  const outcomes: Record<string, unknown[]> = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [side, run] of Object.entries(sides)) {
      const outcome = await run();
      if (round > 0) outcomes[side]!.push(outcome);
    }
  }
  return outcomes as { [Side in keyof Sides]: Awaited<ReturnType<Sides[Side]>>[] };
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
