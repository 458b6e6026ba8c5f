/**
 * Contestants that are logs in a process, each in a process of its own that lives for all rounds.
 */
import type { Durability } from "../../contestants/embedded.ts";
import type { Contestant } from "../../contestants/list.ts";
import type { EmbeddedLogTasks } from "../../processes/programs/embedded-log.ts";
import { Worker } from "../../processes/worker.ts";
import { progress } from "../../reports/progress.ts";
import type { Series } from "../../statistics/spread.ts";

export type EmbeddedWorker = Worker<EmbeddedLogTasks>;

/** One measurement of one contestant in one round: the figures by their name. */
export type Measure<Figures> = (worker: EmbeddedWorker, count: number) => Promise<Figures & Stored>;

/** What a measurement says of the records that it appended. */
interface Stored {
  readonly stored: number;
  readonly appendMs: number;
}

export interface Entrant {
  readonly contestant: Contestant;
  readonly settings: string;
  readonly worker: EmbeddedWorker;
  /** Calibrated by the runs that do not count. */
  count: number;
}

export interface ContestOptions {
  readonly contestants: readonly Contestant[];
  readonly directory: string;
  readonly durability: Durability;
  readonly compression?: "none" | "zstd";
  readonly rounds: number;
  /** Records of the first run, from which the count of the others follows. */
  readonly firstCount: number;
  /** The count is a multiple of it. */
  readonly step: number;
  readonly runMs: number;
  readonly records: number;
}

/**
 * Each round, every contestant creates a log, is measured, and removes the log, which is not part
 * of what is measured. The first two runs calibrate and warm up.
 *
 * @returns the series of each figure
 */
export async function contest<Name extends string>(
  options: ContestOptions,
  figures: readonly Name[],
  measure: Measure<Record<Name, number>>,
): Promise<Record<Name, Series[]>> {
  const values = new Map<string, (Record<Name, number> & Stored)[]>();
  const skipped = new Map<string, string>();
  const entrants: Entrant[] = [];
  try {
    for (const contestant of options.contestants) {
      const entrant = await enter(contestant, options);
      if ("skipped" in entrant) skip(contestant.name, entrant.skipped);
      else entrants.push(entrant);
    }
    for (let round = -1; round <= options.rounds; round++) {
      for (const entrant of entrants) {
        const { name, way } = entrant.contestant;
        if (skipped.has(name)) continue;
        const { directory: parent, durability, compression = "none" } = options;
        const created = await entrant.worker.ask("create", { parent, durability, compression, way });
        if (created.skipped !== undefined) {
          skip(name, created.skipped);
          continue;
        }
        const measured = await measure(entrant.worker, entrant.count);
        if (round <= 0) entrant.count = countFor(measured, options);
        else values.set(name, [...(values.get(name) ?? []), measured]);
      }
    }
  } finally {
    await Promise.all(entrants.map(({ worker }) => worker.kill()));
  }
  const seriesOf = (figure: Name): Series[] =>
    options.contestants.map(({ name }) => ({
      contestant: name,
      values: (values.get(name) ?? []).map((measured) => measured[figure]),
      setup: entrants.find(({ contestant }) => contestant.name === name)?.settings,
      skipped: skipped.get(name),
    }));
  return Object.fromEntries(figures.map((figure) => [figure, seriesOf(figure)])) as Record<Name, Series[]>;

  function skip(name: string, why: string): void {
    skipped.set(name, why);
    progress(`${name}: skipped: ${why}`);
  }
}

/** In whole steps. */
function countFor({ stored, appendMs }: Stored, { runMs, records, step }: ContestOptions): number {
  const count = Math.min(records, (stored / appendMs) * runMs);
  return Math.max(1, Math.round(count / step)) * step;
}

async function enter(contestant: Contestant, { firstCount }: ContestOptions): Promise<Entrant | { skipped: string }> {
  const worker = await Worker.start<EmbeddedLogTasks>("embedded-log", []);
  const loaded = await worker.ask("load", contestant);
  if ("skipped" in loaded) {
    await worker.kill();
    return loaded;
  }
  return { contestant, settings: loaded.settings, worker, count: firstCount };
}
