/** The parts of a page that are made from the JSON of a run. */
import { LIMITS } from "../src/contestants/limits.ts";
import type { Report } from "../src/reports/report.ts";
import { goalText, quantity, spreadText } from "../src/reports/text.ts";
import type { Result } from "../src/statistics/result.ts";
import { bestOf, median, type Ratio, type Series, spreadOf } from "../src/statistics/spread.ts";

/** Results of the summary, and which contestant stands for LogStore. */
const SUMMARIZED = {
  "embedded.append.100.1000.written": "LogStore",
  "embedded.read.100.1000.written": "LogStore",
  "embedded.singles.64.flushed": "LogStore",
  "served.produce.100.written": "LogStore, sendMany",
  "served.consume.100.written": "LogStore, sendMany",
  "served.cold": "LogStore, sendMany",
  "latency.10k.p50": "LogStore, send",
  "latency.10k.p99": "LogStore, send",
  open: "LogStore, 10 GB",
  "memory.client": "LogStore",
};

/** Whether the page has a place of its own for the result. */
export function isShown(page: string, name: string): boolean {
  return [name, `plot.${name}`].some((part) => page.includes(`<!-- bench: ${part} -->`));
}

const PART = /(<!-- bench: (\S+) -->\n)[\s\S]*?(<!-- \/bench -->)/g;

/**
 * Replaces what is between `<!-- bench: NAME -->` and `<!-- /bench -->`. A name is that of a
 * result, `plot.` and that of a result, or `machine`, `summary`, `goals`, `setups` or `others`:
 * every result that the page does not name.
 *
 * @param plots paths of the plots from the page, by result
 */
export function filled(page: string, report: Report, plots: ReadonlyMap<string, string>): string {
  const named = new Set(Array.from(page.matchAll(PART), ([, , name]) => name));
  const { results } = report;
  const partOf = (name: string): string => {
    if (name === "machine") return machinePart(report);
    if (name === "summary") return summaryPart(results);
    if (name === "goals") return goalsPart(results);
    if (name === "setups") return setupsPart(results);
    if (name === "others") {
      const others = results.filter((result) => !named.has(result.name));
      return others.map((result) => `### ${result.title}\n\n${resultPart(result, plots)}`).join("\n\n");
    }
    const resultName = name.replace(/^plot\./, "");
    const result = results.find((one) => one.name === resultName);
    if (result === undefined) throw new Error(`the page shows ${name}, which was not measured: run all workloads`);
    return resultName === name ? resultPart(result, plots) : plotPart(result, plots);
  };
  return page.replaceAll(PART, (_, begin, name, end) => `${begin}\n${partOf(name)}\n\n${end}`);
}

function machinePart({ date, machine, settings }: Report): string {
  const { processor, cores, memoryBytes, system, fileSystem, node, commit } = machine;
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB of memory`;
  const run = `${settings.rounds} rounds of ${settings.runMs / 1_000} s`;
  const hardware = `${processor}, ${cores} cores, ${memory}, ${system}, ${fileSystem ?? "unknown file system"}`;
  return `${hardware}; Node ${node}; ${date.slice(0, 10)}, commit ${commit ?? "unknown"}; ${run}.`;
}

/** LogStore beside the best of the others. */
function summaryPart(results: readonly Result[]): string {
  const rows = Object.entries(SUMMARIZED).map(([name, ours]) => {
    const found = results.find((result) => result.name === name);
    if (found === undefined) throw new Error(`the run has no ${name}: a page needs all workloads`);
    const { title, unit, series } = found;
    const better = unit.endsWith("/s") ? "higher" : "lower";
    const others = series.filter(({ contestant }) => !contestant.startsWith("LogStore"));
    const peer = bestOf(
      others.filter(({ contestant }) => !LIMITS.includes(contestant) && contestant !== "JetStream, packed"),
      better,
    );
    const limit = others.find(({ contestant }) => LIMITS.includes(contestant));
    // Of several sizes, the largest.
    const one = series.find(({ contestant }) => contestant === ours) ?? series.at(-1);
    return [`${title}, ${unit}`, figureText(one), figureText(peer, true), figureText(limit, true)];
  });
  return table(["", "LogStore", "best other system", "limit of the machine"], rows);
}

function figureText(series: Series | undefined, isNamed = false): string {
  if (series === undefined || series.values.length === 0) return "";
  const figure = quantity(median(series.values));
  return isNamed ? `${figure} (${series.contestant})` : figure;
}

function goalsPart(results: readonly Result[]): string {
  const rows = results.flatMap((result) =>
    result.ratios.filter(({ goal }) => goal !== undefined).map((ratio) => goalRow(result, ratio)),
  );
  return table(["measured", "compared", "ratio (min–max)", "goal", ""], rows);
}

function goalRow({ title, unit }: Result, { of, to, spread, goal, met, notMeasured }: Ratio): string[] {
  const compared = to === undefined ? [of, unit].filter(Boolean).join(", ") : `${of} ÷ ${to}`;
  const outcome = spread === undefined ? `not measured: ${notMeasured}` : met === true ? "met" : "**missed**";
  return [title, compared, spread === undefined ? "" : spreadText(spread), goalText(goal!), outcome];
}

function plotPart({ name, title }: Result, plots: ReadonlyMap<string, string>): string {
  const path = plots.get(name);
  return path === undefined ? "" : `![${title}](${path})`;
}

function resultPart(result: Result, plots: ReadonlyMap<string, string>): string {
  const { unit, series, ratios } = result;
  const rows = series.map(({ contestant, values, absence }) => {
    if (values.length === 0) return [contestant, absence ?? "", "", ""];
    const { median, min, max } = spreadOf(values);
    const compared = ratios.filter(({ to, spread }) => to === contestant && spread !== undefined);
    const texts = compared.map(({ of, spread }) => `${of}: ${quantity(spread!.median)}`);
    return [contestant, quantity(median), `${quantity(min)}–${quantity(max)}`, texts.join("; ")];
  });
  return `${plotPart(result, plots)}\n\n${table(["", unit, "min–max", "ratio to it"], rows)}`.trim();
}

function setupsPart(results: readonly Result[]): string {
  const setups = new Map<string, string>();
  for (const { contestant, setup } of results.flatMap(({ series }): readonly Series[] => series)) {
    if (setup !== undefined && !setups.has(contestant)) setups.set(contestant, setup);
  }
  return table(["contestant", "settings"], [...setups]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}
