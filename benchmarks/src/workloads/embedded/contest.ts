/**
 * Contestants that are logs in a process, each in a process of its own that lives for all rounds.
 */
import type { Durability } from "../../contestants/embedded.ts";
import { type Absent, absenceBy, type Contestant } from "../../contestants/list.ts";
import type { EmbeddedLogTasks } from "../../processes/programs/embedded-log.ts";
import { Worker } from "../../processes/worker.ts";
import { progress } from "../../reports/progress.ts";
import { type Settings, WARM_UP_RUNS } from "../../settings.ts";
import type { Series } from "../../statistics/spread.ts";

const MOST_WARM_UPS = 6;

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
  /** Of records in the next run. */
  count: number;
}

/**
 * Each round, every contestant creates a log, is measured, and removes the log, which is not part
 * of what is measured. Before, each warms up. A peer that fails takes no part any more; what
 * LogStore throws is thrown.
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
  const absences = new Map<string, string>();
  const entrants: Entrant[] = [];
  const without = async ({ name }: Contestant, { absence }: Absent, worker?: Worker<EmbeddedLogTasks>) => {
    absences.set(name, absence);
    progress(`${name}: ${absence}`);
    await worker?.kill(); // it may hang
  };
  try {
    for (const contestant of contestants) {
      const entrant = await enter(contestant, options);
      if ("absence" in entrant) await without(contestant, entrant);
      else entrants.push(entrant);
    }
    for (let round = 0; round <= settings.rounds; round++) {
      for (const entrant of entrants) {
        const { contestant, worker } = entrant;
        if (absences.has(contestant.name)) continue;
        const turn = round === 0 ? warmUp : run;
        const outcome = await turn(entrant, settings, options, measure);
        if ("absence" in outcome) await without(contestant, outcome, worker);
        else if (round > 0) values.get(contestant.name)!.push(outcome.figures);
      }
    }
  } finally {
    await Promise.all(entrants.map(({ worker }) => worker.kill()));
  }
  const seriesOf = (figureName: Name): Series[] =>
    contestants.map(({ name }) => ({
      contestant: name,
      values: absences.has(name) ? [] : values.get(name)!.map((figures) => figures[figureName]),
      setup: entrants.find(({ contestant }) => contestant.name === name)?.setup,
      absence: absences.get(name),
    }));
  return Object.fromEntries(names.map((name) => [name, seriesOf(name)])) as Record<Name, Series[]>;
}

async function enter(contestant: Contestant, { firstCount }: ContestOptions): Promise<Entrant | Absent> {
  const worker = await Worker.start<EmbeddedLogTasks>("embedded-log", []);
  const loaded = await worker.ask("load", contestant);
  if ("absence" in loaded) {
    await worker.kill();
    return loaded;
  }
  return { contestant, setup: loaded.settings, worker, count: firstCount };
}

/** Until it has appended for as long as some runs last. */
async function warmUp<Name extends string>(
  entrant: Entrant,
  settings: Settings,
  options: ContestOptions,
  measure: Measure<Name>,
): Promise<Measured<Name> | Absent> {
  let outcome = await run(entrant, settings, options, measure);
  for (let runs = 1, spentMs = 0; runs < MOST_WARM_UPS && !("absence" in outcome); runs++) {
    spentMs += outcome.appendMs;
    if (spentMs >= settings.runMs * WARM_UP_RUNS) break;
    outcome = await run(entrant, settings, options, measure);
  }
  return outcome;
}

/** How many records the next run has follows from this one. */
async function run<Name extends string>(
  entrant: Entrant,
  settings: Settings,
  options: ContestOptions,
  measure: Measure<Name>,
): Promise<Measured<Name> | Absent> {
  const { contestant, worker, count } = entrant;
  const { durability, compression = "none" } = options;
  const { way, checkout, file } = contestant;
  try {
    const created = await worker.ask("create", { parent: settings.directory, durability, compression, way, checkout });
    if (created.absence !== undefined) return { absence: created.absence };
    const measured = await measure(worker, count);
    entrant.count = countFor(count / measured.appendMs, settings, options);
    return measured;
  } catch (error) {
    return absenceBy(error, file);
  }
}

/** In whole steps. */
function countFor(perMs: number, { runMs, records }: Settings, { step }: ContestOptions): number {
  return Math.max(1, Math.round(Math.min(records, perMs * runMs) / step)) * step;
}
