/**
 * Contestants that are logs in a process, each in a process of its own that lives for all rounds.
 */
import type { Durability } from "../../contestants/embedded.ts";
import { type Contestant, skippedBy } from "../../contestants/list.ts";
import type { EmbeddedLogTasks } from "../../processes/programs/embedded-log.ts";
import { Worker } from "../../processes/worker.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Series } from "../../statistics/spread.ts";

export interface ContestOptions {
  readonly durability: Durability;
  readonly compression?: "none" | "zstd";
  /** Records of the first run, from which the count of the others follows. */
  readonly firstCount: number;
  /** The count is a multiple of it. */
  readonly step: number;
}

/**
 * One measurement of one contestant, of that many records: the figures by their name, and how long
 * the append of all records took, from which the next count follows.
 */
export type Measure<Name extends string> = (worker: Worker<EmbeddedLogTasks>, count: number) => Promise<Measured<Name>>;

interface Measured<Name extends string> {
  readonly figures: Record<Name, number>;
  readonly appendMs: number;
}

interface Entrant {
  readonly contestant: Contestant;
  readonly setup: string;
  readonly worker: Worker<EmbeddedLogTasks>;
  /** Calibrated by the runs that do not count. */
  count: number;
}

/**
 * Each round, every contestant creates a log, is measured, and removes the log, which is not part
 * of what is measured. The first two runs calibrate and warm up. A peer that fails takes no part
 * any more; what LogStore throws is thrown.
 *
 * @returns the series of each figure
 */
export async function contest<Name extends string>(
  contestants: readonly Contestant[],
  settings: Settings,
  options: ContestOptions,
  names: readonly Name[],
  measure: Measure<Name>,
): Promise<Record<Name, Series[]>> {
  const values = new Map<string, Record<Name, number>[]>(contestants.map(({ name }) => [name, []]));
  const skipped = new Map<string, string>();
  const entrants: Entrant[] = [];
  const skip = ({ name }: Contestant, why: string) => {
    skipped.set(name, why);
    progress(`${name}: skipped: ${why}`);
  };
  try {
    for (const contestant of contestants) {
      const entrant = await enter(contestant, options);
      if ("skipped" in entrant) skip(contestant, entrant.skipped);
      else entrants.push(entrant);
    }
    for (let round = -1; round <= settings.rounds; round++) {
      for (const entrant of entrants) {
        const { contestant } = entrant;
        if (skipped.has(contestant.name)) continue;
        const outcome = await run(entrant, settings, options, measure);
        if ("skipped" in outcome) {
          skip(contestant, outcome.skipped);
          continue;
        }
        const { figures, appendMs } = outcome;
        if (round <= 0) entrant.count = countFor(entrant.count / appendMs, settings, options);
        else values.get(contestant.name)!.push(figures);
      }
    }
  } finally {
    await Promise.all(entrants.map(({ worker }) => worker.kill()));
  }
  const seriesOf = (figureName: Name): Series[] =>
    contestants.map(({ name }) => ({
      contestant: name,
      values: skipped.has(name) ? [] : values.get(name)!.map((figures) => figures[figureName]),
      setup: entrants.find(({ contestant }) => contestant.name === name)?.setup,
      skipped: skipped.get(name),
    }));
  return Object.fromEntries(names.map((name) => [name, seriesOf(name)])) as Record<Name, Series[]>;
}

async function enter(contestant: Contestant, { firstCount }: ContestOptions): Promise<Entrant | { skipped: string }> {
  const worker = await Worker.start<EmbeddedLogTasks>("embedded-log", []);
  const loaded = await worker.ask("load", contestant);
  if ("skipped" in loaded) {
    await worker.kill();
    return loaded;
  }
  return { contestant, setup: loaded.settings, worker, count: firstCount };
}

async function run<Name extends string>(
  { contestant, worker, count }: Entrant,
  { directory: parent }: Settings,
  { durability, compression = "none" }: ContestOptions,
  measure: Measure<Name>,
): Promise<Measured<Name> | { readonly skipped: string }> {
  const { way, checkout, file } = contestant;
  try {
    const created = await worker.ask("create", { parent, durability, compression, way, checkout });
    return created.skipped === undefined ? await measure(worker, count) : { skipped: created.skipped };
  } catch (error) {
    return skippedBy(error, file);
  }
}

/** In whole steps. */
function countFor(perMs: number, { runMs, records }: Settings, { step }: ContestOptions): number {
  return Math.max(1, Math.round(Math.min(records, perMs * runMs) / step)) * step;
}
