/** Appends and reads in batches, warm; every contestant stores and returns the same values. */
import type { Durability } from "../../contestants/embedded.ts";
import { beside, EMBEDDED } from "../../contestants/list.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { figureOf, type Goal, type Ratio, ratioOf, type Series } from "../../statistics/spread.ts";
import { contest } from "./contest.ts";

/** Records of the run that calibrates the others. */
const FIRST_RECORDS = 5_000;

export interface Shape {
  readonly valueBytes: number;
  readonly batch: number;
  readonly durability: Durability;
  readonly compression: "none" | "zstd";
}

const USUAL: Shape = { valueBytes: 100, batch: 1_000, durability: "written", compression: "none" };

const GOALS_OF_APPENDS: Record<string, number> = {
  "raw file": 0.85,
  lmdb: 3,
  "node:sqlite": 5,
  hypercore: 40,
  "Go ancestor": 15,
};

/** The shape that has goals. */
export async function embeddedThroughput(settings: Settings): Promise<Result[]> {
  return throughput(settings, USUAL);
}

/** Every other shape: sizes of values and batches, durability, compression. */
export async function embeddedShapes(settings: Settings): Promise<Result[]> {
  const shapes: Shape[] = [
    ...[1, 100].map((batch) => ({ ...USUAL, batch })),
    ...[1_024, 10_240].map((valueBytes) => ({ ...USUAL, valueBytes, batch: valueBytes === 1_024 ? 1_000 : 100 })),
    { ...USUAL, durability: "flushed" },
    { ...USUAL, compression: "zstd" },
  ];
  const results: Result[] = [];
  for (const shape of shapes) results.push(...(await throughput(settings, shape)));
  return results;
}

async function throughput(settings: Settings, shape: Shape): Promise<Result[]> {
  const { valueBytes, batch, durability, compression } = shape;
  const title = `${valueBytes} B, batches of ${batch}, ${durability}${compression === "none" ? "" : `, ${compression}`}`;
  progress(`embedded: ${title}`);
  const { directory, rounds, runMs, records } = settings;
  const all = compression === "none" ? EMBEDDED : EMBEDDED.filter(({ name }) => name.startsWith("LogStore"));
  const contestants = beside(all, settings.beside);
  const firstCount = Math.ceil(FIRST_RECORDS / batch) * batch;
  const series = await contest(
    { contestants, directory, rounds, runMs, records, firstCount, step: batch, durability, compression },
    ["append", "read", "size"],
    async (worker, count) => {
      const appendMs = await worker.ask("append", { count, valueBytes, batch });
      const readMs = await worker.ask("read", { count, valueBytes });
      if (count === firstCount) await worker.ask("read", { count, valueBytes, isChecked: true });
      const bytes = await worker.ask("remove", undefined as never);
      const [append, read] = [appendMs, readMs].map((ms) => (count / ms) * 1_000) as [number, number];
      return { stored: count, appendMs, append, read, size: bytes / (count * valueBytes) };
    },
  );
  const base = [valueBytes, batch, durability, ...(compression === "none" ? [] : [compression])].join(".");
  const isUsual = shape === USUAL;
  return [
    {
      name: `embedded.append.${base}`,
      title: `Append, ${title}`,
      unit: "records/s",
      series: series.append.filter(({ contestant }) => contestant !== "LogStore, records"),
      ratios: appendRatios(isUsual ? "embedded.append" : `embedded.append.${base}`, series.append, isUsual),
    },
    {
      name: `embedded.read.${base}`,
      title: `Read, ${title}`,
      unit: "records/s",
      series: series.read,
      ratios: isUsual ? readRatios(series.read) : [],
    },
    {
      name: `embedded.size.${base}`,
      title: `Bytes on disk ÷ bytes of values, ${title}`,
      unit: "",
      series: series.size.filter(({ contestant }) => contestant !== "LogStore, records"),
      ratios: isUsual ? [figureOf("disk.100B", find(series.size, "LogStore")!, { atMost: 1.08 })] : [],
    },
  ];
}

function appendRatios(prefix: string, series: readonly Series[], hasGoals: boolean): Ratio[] {
  const ours = find(series, "LogStore");
  return series
    .filter(({ contestant }) => !contestant.startsWith("LogStore"))
    .map((to) => {
      const atLeast = GOALS_OF_APPENDS[to.contestant];
      const goal: Goal | undefined = hasGoals && atLeast !== undefined ? { atLeast } : undefined;
      return ratioOf(`${prefix}.${keyOf(to.contestant)}`, ours, to, goal);
    });
}

function readRatios(series: readonly Series[]): Ratio[] {
  const raw = find(series, "raw file");
  const offsets = find(series, "async-append-only-log");
  const ways = [
    ["batches", "LogStore", 0.9],
    ["records", "LogStore, records", 0.6],
    ["chunks", "LogStore, chunks", 0.85],
  ] as const;
  return [
    ...ways.map(([way, name, atLeast]) =>
      ratioOf(`embedded.read.${way}.raw-file`, find(series, name), raw, { atLeast }),
    ),
    ratioOf("embedded.read.batches.async-append-only-log", find(series, "LogStore"), offsets, { atLeast: 1.5 }),
  ];
}

function find(series: readonly Series[], contestant: string): Series | undefined {
  return series.find((one) => one.contestant === contestant);
}

/** As part of a stable name. */
function keyOf(contestant: string): string {
  return contestant.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}
