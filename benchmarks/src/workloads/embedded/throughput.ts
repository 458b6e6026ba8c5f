/** Appends and reads in batches, warm; every contestant stores and returns the same values. */
import type { Durability } from "../../contestants/embedded.ts";
import { EMBEDDED, isLogStore, takingPart } from "../../contestants/list.ts";
import { progress } from "../../reports/progress.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { figureOf, type Goal, type Ratio, ratioOf, type Series } from "../../statistics/spread.ts";
import { contest } from "./contest.ts";

/** Records of the run that calibrates the others. */
const FIRST_RECORDS = 5_000;

interface Shape {
  readonly valueBytes: number;
  readonly batch: number;
  readonly durability: Durability;
  readonly compression: "none" | "zstd";
}

/** The shape that has goals. */
const USUAL: Shape = { valueBytes: 100, batch: 1_000, durability: "written", compression: "none" };

const GOALS_OF_APPENDS: Record<string, number> = {
  "raw file": 0.85,
  lmdb: 3,
  "node:sqlite": 5,
  hypercore: 40,
  "Go ancestor": 15,
};

export async function embeddedThroughput(settings: Settings): Promise<Result[]> {
  const { append, read, size } = await measure(settings, USUAL);
  return [
    { ...append, ratios: appendRatios(append.series) },
    { ...read, ratios: readRatios(read.series) },
    { ...size, ratios: [figureOf("embedded.disk", find(size.series, "LogStore")!, { atMost: 1.08 })] },
  ];
}

/** Every other shape: sizes of values and batches, durability, compression. */
export async function embeddedShapes(settings: Settings): Promise<Result[]> {
  const shapes: Shape[] = [
    ...[1, 100].map((batch) => ({ ...USUAL, batch })),
    { ...USUAL, valueBytes: 1_024 },
    { ...USUAL, valueBytes: 10_240, batch: 100 },
    { ...USUAL, durability: "flushed" },
    { ...USUAL, compression: "zstd" },
  ];
  const results: Result[] = [];
  for (const shape of shapes) {
    // Of single records, a short run has too few for their code to be compiled.
    const runMs = settings.runMs / (shape.batch === 1 ? 2 : 5);
    results.push(...Object.values(await measure({ ...settings, runMs }, shape)));
  }
  return results;
}

async function measure(settings: Settings, shape: Shape): Promise<Record<"append" | "read" | "size", Result>> {
  const { valueBytes, batch, durability, compression } = shape;
  const packed = compression === "none" ? "" : `, ${compression}`;
  const title = `${valueBytes} B, batches of ${batch}, ${durability}${packed}`;
  progress(`embedded: ${title}`);
  const all = EMBEDDED.filter(({ name }) => {
    if (compression !== "none") return isLogStore(name);
    return !settings.isQuick || name !== "classic-level"; // it has no goal
  });
  const firstCount = Math.ceil(FIRST_RECORDS / batch) * batch;
  const series = await contest(
    takingPart(all, settings),
    settings,
    { durability, compression, firstCount, step: batch },
    ["append", "read", "size"],
    async (worker, count) => {
      const appendMs = await worker.ask("append", { count, valueBytes, batch });
      const readMs = await worker.ask("read", { count, valueBytes });
      if (count === firstCount) await worker.ask("read", { count, valueBytes, isChecked: true });
      const bytes = await worker.ask("remove", undefined as never);
      const [append, read] = [appendMs, readMs].map((ms) => (count / ms) * 1_000) as [number, number];
      return { appendMs, figures: { append, read, size: bytes / (count * valueBytes) } };
    },
  );
  const isUsed = ({ contestant }: Series) => !/, (records|chunks|for await)/.test(contestant); // those only read
  const resultOf = (what: keyof typeof series, heading: string, unit: string): Result => ({
    name: ["embedded", what, valueBytes, batch, durability, ...(compression === "none" ? [] : [compression])].join("."),
    title: `${heading}, ${title}`,
    unit,
    series: what === "read" ? series.read : series[what].filter(isUsed),
    ratios: [],
  });
  return {
    append: resultOf("append", "Append", "records/s"),
    read: resultOf("read", "Read", "records/s"),
    size: resultOf("size", "Bytes on disk ÷ bytes of values", ""),
  };
}

function appendRatios(series: readonly Series[]): Ratio[] {
  const ours = find(series, "LogStore");
  return series
    .filter(({ contestant }) => !isLogStore(contestant))
    .map((to) => {
      const atLeast = GOALS_OF_APPENDS[to.contestant];
      const goal: Goal | undefined = atLeast === undefined ? undefined : { atLeast };
      return ratioOf(`embedded.append.${to.contestant.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`, ours, to, goal);
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
    ratioOf("embedded.read.records.for-await", find(series, "LogStore, records"), find(series, "raw file, for await")),
    ratioOf("embedded.read.batches.async-append-only-log", find(series, "LogStore"), offsets, { atLeast: 1.5 }),
  ];
}

function find(series: readonly Series[], contestant: string): Series | undefined {
  return series.find((one) => one.contestant === contestant);
}
