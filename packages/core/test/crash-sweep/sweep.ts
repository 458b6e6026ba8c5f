/**
 * The crash sweep: stops workloads at every mutating call, with every outcome, and checks the
 * guarantees of the store found afterwards. Some recoveries are stopped at every mutating call,
 * too, and so on.
 */

import assert from "node:assert/strict";
import { type PowerCutOutcome, powerCutOutcomes, Random, type SimulatedDisk } from "../../src/testing/index.js";
import { checkRecovered, type Survives } from "./check-recovered.js";
import { checkSnapshots, SNAPSHOTS } from "./check-snapshots.js";
import { quickly } from "./quickly.js";
import { type Moment, runWorkload, type WorkloadRun } from "./workload.js";

const outcomes = [...powerCutOutcomes, "kill"] as const;

/**
 * One crash: its mutating call, counted from 0, of the workload or of the previous recovery; and
 * its outcome.
 */
export interface Crash {
  readonly at: number;
  readonly outcome: PowerCutOutcome | "kill";
  /** Determines what the outcome leaves to chance, and what is done after the recovery. */
  readonly seed: number;
}

export interface SweepTotals {
  runs: number;
  /** Number of stores opened after a crash of the workload. */
  recoveries: number;
  /** Number of stores opened after a crash of a recovery. */
  nested: number;
}

export interface SweepOptions {
  readonly seed: number;
  /** Runs workloads until both numbers are reached. */
  readonly recoveries: number;
  readonly nested: number;
  /** Names of operations that workloads leave out. */
  readonly without?: readonly string[] | undefined;
  readonly progress?: ((totals: SweepTotals) => void) | undefined;
  /** Called with each failure, if the sweep is to continue after failures. */
  readonly failed?: ((failure: Error) => void) | undefined;
}

/** Largest number of consecutive crashes of recoveries. */
const MAX_DEPTH = 4;

export function sweep(options: SweepOptions): Promise<SweepTotals> {
  return quickly(() => sweepAll(options));
}

async function sweepAll(options: SweepOptions): Promise<SweepTotals> {
  const { recoveries, nested, without = [], progress, failed } = options;
  const totals: SweepTotals = { runs: 0, recoveries: 0, nested: 0 };
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (failure) {
      if (failed === undefined) throw failure;
      failed(failure as Error);
    }
  };
  const isDone = () => totals.recoveries >= recoveries && totals.nested >= nested;
  for (let { seed } = options; !isDone(); seed++) {
    await attempt(async () => {
      const run = await startRun(seed, without);
      const random = new Random(seed);
      for (let at = 0; at < run.moments.length && !isDone(); at++) {
        for (const outcome of outcomes) {
          const crash = { at, outcome, seed: random.seed() };
          const stopsRecovery = totals.nested * recoveries < totals.recoveries * nested;
          await attempt(() => sweepFrom(run, [crash], stopsRecovery, totals));
        }
      }
    });
    totals.runs++;
    progress?.(totals);
  }
  return totals;
}

/** Runs exactly one chain of crashes. */
export async function replay(seed: number, without: readonly string[], crashes: readonly Crash[]): Promise<void> {
  const run = await startRun(seed, without);
  let copies: readonly SimulatedDisk[] = run.moments.map(({ disk }) => disk);
  for (let i = 0; i < crashes.length; i++) {
    const until = crashes.slice(0, i + 1);
    const found = copies[crashes[i]!.at];
    if (found === undefined)
      throw new RangeError(`there are ${copies.length} mutating calls, and no ${crashes[i]!.at}`);
    copies = await replayable(run, until, () => recover(found, run, until));
  }
}

function startRun(seed: number, without: readonly string[]): Promise<WorkloadRun> {
  return replayable({ seed, without }, [], () => runWorkload(seed, without));
}

async function sweepFrom(
  run: WorkloadRun,
  crashes: readonly Crash[],
  stopsRecovery: boolean,
  totals: SweepTotals,
  from: SimulatedDisk = run.moments[crashes[0]!.at]!.disk,
): Promise<void> {
  const copies = await replayable(run, crashes, () => recover(from, run, crashes, stopsRecovery));
  if (crashes.length === 1) totals.recoveries++;
  else totals.nested++;
  if (crashes.length > MAX_DEPTH) return;
  const random = new Random(crashes.at(-1)!.seed);
  for (const [at, copy] of copies.entries()) {
    const crash = { at, outcome: random.oneOf(outcomes), seed: random.seed() };
    const goesDeeper = random.chance(0.3);
    await sweepFrom(run, [...crashes, crash], goesDeeper, totals, copy);
  }
}

/**
 * Simulates the last of the crashes and checks what is found; returns copies of the disk during the
 * recovery.
 */
async function recover(
  stopped: SimulatedDisk,
  { options, moments, snapshots }: WorkloadRun,
  crashes: readonly Crash[],
  takesCopies = true,
): Promise<SimulatedDisk[]> {
  const { outcome, seed } = crashes.at(-1)!;
  const disk = outcome === "kill" ? stopped.processKill() : stopped.powerCut(outcome, seed);
  const copies: SimulatedDisk[] = [];
  if (takesCopies) disk.onMutation = () => void copies.push(disk.copy());
  const survives: Survives = crashes.every((crash) => crash.outcome === "kill") ? "written" : "flushed";
  const moment: Moment = moments[crashes[0]!.at]!;
  const made = new Set((await disk.list(SNAPSHOTS)) ?? []);
  for (const { name } of snapshots.slice(0, moment.snapshots)) {
    assert(made.has(name.slice(SNAPSHOTS.length + 1)), `${name} was made, and is not there`);
  }
  await checkRecovered(disk, options, moment.partitions, survives, new Random(seed), () => {
    disk.onMutation = undefined;
  });
  if (snapshots.length > 0) await checkSnapshots(disk.copy(), snapshots);
  return copies;
}

async function replayable<T>(
  { seed, without }: Pick<WorkloadRun, "seed" | "without">,
  crashes: readonly Crash[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const chain = crashes.map(({ at, outcome, seed }) => `${at}:${outcome}:${seed}`).join("/") || NO_CRASH;
    const leftOut = without.map((name) => ` --without ${name}`).join("");
    const line = `pnpm sweep --seed ${seed}${leftOut} --at ${chain}`;
    throw new Error(`replay with ${line}: ${(cause as Error).message}`, { cause });
  }
}

/** The workload itself fails. */
const NO_CRASH = "none";

/** Parses the chain of crashes that a failure prints, for {@link replay}. */
export function parseCrashes(chain: string): Crash[] {
  if (chain === NO_CRASH) return [];
  return chain.split("/").map((each) => {
    const [at, outcome, seed] = each.split(":");
    return { at: Number(at), outcome: outcome as Crash["outcome"], seed: Number(seed) };
  });
}
