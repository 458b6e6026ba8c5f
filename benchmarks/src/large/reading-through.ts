/** Reads a log from start to end in a process of its own, and samples its memory. */
import { runChild } from "../child.ts";
import type { ReadThroughReport } from "../children/read-through.ts";
import { figure, inTurns, median, type Result } from "../measure.ts";

const MB = 1e6;
/** Each round reads the whole log. */
const MAX_ROUNDS = 3;

export async function readingThrough(directory: string, rounds: number): Promise<Result[]> {
  const through = (what: "batches" | "records") => async () =>
    (await runChild<ReadThroughReport>("read-through", [directory, what])).report;
  const { batches, records } = await inTurns(Math.min(rounds, MAX_ROUNDS), {
    batches: through("batches"),
    records: through("records"),
  });
  return [...results("batches", batches), ...results("records", records)];
}

function results(what: string, reports: readonly ReadThroughReport[]): Result[] {
  const added = reports.map(({ rssBytes, rssAfterOpenBytes }) => (Math.max(...rssBytes) - rssAfterOpenBytes) / MB);
  const growth = reports.map(({ rssBytes }) => {
    const quarter = Math.floor(rssBytes.length / 4);
    return (median(rssBytes.slice(-quarter)) - median(rssBytes.slice(0, quarter))) / MB;
  });
  const rates = reports.map(({ records, ms }) => (records / ms) * 1000);
  return [
    figure({ name: `read through, ${what}`, unit: "records/s" }, rates),
    figure({ name: `read through, ${what}: memory added, at most`, unit: "MB", target: { atMost: 64 } }, added),
    figure({ name: `read through, ${what}: last quarter − first quarter`, unit: "MB" }, growth),
  ];
}
