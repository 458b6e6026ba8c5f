/** Many appenders, each of which waits for its acknowledgement before it sends the next value. */
import type { Durability } from "../../contestants/embedded.ts";
import { EMBEDDED, takingPart } from "../../contestants/list.ts";
import type { Settings } from "../../settings.ts";
import type { Result } from "../../statistics/result.ts";
import { figureOf, ratioOf, type Series } from "../../statistics/spread.ts";
import { contest } from "./contest.ts";

const VALUE_BYTES = 100;
/** Ways that only read, and those that append no single values. */
const OTHERS = ["raw file, for await", "LogStore, records", "LogStore, chunks", "async-append-only-log", "Go ancestor"];
const CONTESTANTS = EMBEDDED.filter(({ name }) => !OTHERS.includes(name));

export async function embeddedFlushed(settings: Settings): Promise<Result[]> {
  const result = await measure(settings, 64, "flushed");
  const [ours, sqlite] = ["LogStore", "node:sqlite"].map((name) => find(result, name));
  return [{ ...result, ratios: [ratioOf("embedded.flushed.64.node-sqlite", ours, sqlite, { atLeast: 20 })] }];
}

export async function embeddedSingles(settings: Settings): Promise<Result[]> {
  const result = await measure(settings, 1_000, "written");
  return [{ ...result, ratios: [figureOf("embedded.singles", find(result, "LogStore")!, { atLeast: 500_000 })] }];
}

async function measure(settings: Settings, appenders: number, durability: Durability): Promise<Result> {
  const { append } = await contest(
    takingPart(CONTESTANTS, settings),
    settings,
    { durability, firstCount: appenders * 2, step: appenders },
    ["append"],
    async (worker, count) => {
      const appendMs = await worker.ask("appendSingly", { count, valueBytes: VALUE_BYTES, appenders });
      await worker.ask("remove", undefined as never);
      return { appendMs, figures: { append: (count / appendMs) * 1_000 } };
    },
  );
  return {
    name: `embedded.singles.${appenders}.${durability}`,
    title: `${appenders} appenders, ${VALUE_BYTES} B each, ${durability}`,
    unit: "records/s",
    series: append,
    ratios: [],
  };
}

function find({ series }: Result, contestant: string): Series | undefined {
  return series.find((one) => one.contestant === contestant);
}
