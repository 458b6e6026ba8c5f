/** The wall time of a fresh process: start-up, opening and compilation count. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Skipped } from "../../contestants/embedded.ts";
import { type Absent, absenceBy, type Contestant, EMBEDDED, isLogStore, takingPart } from "../../contestants/list.ts";
import type { ColdEmbeddedRun } from "../../processes/programs/cold-embedded.ts";
import { runProgram } from "../../processes/run-program.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { ratioOf, type Series } from "../../statistics/spread.ts";

const VALUE_BYTES = 100;
const BATCH = 1_000;
/** The slowest need minutes for a round. */
const MAX_ROUNDS = 3;

export async function embeddedCold(settings: Settings): Promise<Result[]> {
  const { directory } = settings;
  const records = settings.records / 4;
  const contestants = takingPart(
    EMBEDDED.filter(({ way }) => way !== "chunks" && way !== "for await"),
    settings,
  );
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  const absences = new Map<string, string>();
  for (let round = 1; round <= Math.min(settings.rounds, MAX_ROUNDS); round++) {
    for (const contestant of contestants) {
      const { name } = contestant;
      if (absences.has(name)) continue;
      const parent = join(directory, "cold");
      await mkdir(parent);
      try {
        times.get(name)!.push(await run(contestant, parent, records));
      } catch (error) {
        const { absence } = absenceBy(error, contestant.file);
        absences.set(name, absence);
        progress(`${name}: ${absence}`);
      }
      await rm(parent, { recursive: true });
    }
  }
  const series: Series[] = contestants.map(({ name }) => {
    return { contestant: name, values: absences.has(name) ? [] : times.get(name)!, absence: absences.get(name) };
  });
  const ours = series.find(({ contestant }) => contestant === "LogStore");
  const title = `A fresh process: ${records.toLocaleString("en")} values of ${VALUE_BYTES} B appended and read`;
  const ratios = series
    .filter(({ contestant }) => !isLogStore(contestant))
    .map((to) => ratioOf(`embedded.cold.${to.contestant}`, ours, to));
  return [{ name: "embedded.cold", title, unit: "ms", series, ratios }];
}

async function run(contestant: Contestant, parent: string, count: number): Promise<number> {
  const request: ColdEmbeddedRun = { contestant, parent, count, valueBytes: VALUE_BYTES, batch: BATCH };
  const { report, ms } = await runProgram<Partial<Absent>>("cold-embedded", [JSON.stringify(request)]);
  if (report.absence !== undefined) throw new Skipped(report.absence.replace("skipped: ", ""));
  return ms;
}
