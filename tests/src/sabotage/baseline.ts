import type { Defect } from "./defects/defect.ts";
import type { Workshop } from "./workshop.ts";

/**
 * The results of the tests and scenarios that the entries name, without a defect: those that fail
 * or are slow on this machine.
 */
export class Baseline {
  /** Duration by package and file, or by scenario; undefined if it failed. */
  readonly #durationMs = new Map<string, number | undefined>();

  constructor(workshop: Workshop, entries: readonly Defect[]) {
    for (const name of new Set(entries.map((entry) => entry.package))) {
      const ofPackage = entries.filter((entry) => entry.package === name);
      const files = new Set(ofPackage.filter(({ scenarios }) => !scenarios).flatMap(({ catchers }) => catchers));
      if (files.size === 0) continue;
      for (const { file, passed, durationMs } of workshop.results(name, [...files]))
        this.#durationMs.set(`${name} ${file}`, passed ? durationMs : undefined);
    }
    for (const scenario of new Set(entries.flatMap(({ scenarios = [] }) => scenarios))) {
      const stop = workshop.conveyorStop([scenario]);
      for (const { package: name } of entries)
        this.#durationMs.set(`${name} ${scenario}`, stop === undefined ? 0 : undefined);
    }
  }

  passes(name: Defect["package"], catcher: string): boolean {
    return this.#durationMs.get(`${name} ${catcher}`) !== undefined;
  }

  /**
   * A test that hangs has detected the defect, too: the limit is a multiple of its normal duration.
   */
  timeLimitMs(name: Defect["package"], files: readonly string[]): number {
    const durations = files.map((file) => this.#durationMs.get(`${name} ${file}`) ?? 0);
    return Math.ceil(60_000 + 6 * durations.reduce((sum, ms) => sum + ms, 0));
  }
}
