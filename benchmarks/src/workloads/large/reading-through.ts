/** Reads a log from start to end in a process of its own, and samples its memory. */

import type { ReadThroughReport } from "../../processes/programs/read-through.ts";
import { runProgram } from "../../processes/run-program.ts";
import { figure, type Result } from "../../statistics/result.ts";
import { median } from "../../statistics/spread.ts";

const MB = 1e6;
/** Each round reads the whole log, in processes of its own, so that no round warms up. */
const MAX_ROUNDS = 2;

export async function readingThrough(directory: string, rounds: number): Promise<Result[]> {
  const through = async (what: "batches" | "records") =>
    (await runProgram<ReadThroughReport>("read-through", [directory, what])).report;
  const [batches, records]: [ReadThroughReport[], ReadThroughReport[]] = [[], []];
  for (let round = 1; round <= Math.min(rounds, MAX_ROUNDS); round++) {
    batches.push(await through("batches"));
    records.push(await through("records"));
  }
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
    figure({ title: `read through, ${what}`, unit: "records/s" }, rates),
    figure({ title: `read through, ${what}: memory added, at most`, unit: "MB", goal: { atMost: 64 } }, added),
    figure({ title: `read through, ${what}: last quarter − first quarter`, unit: "MB" }, growth),
  ];
}
