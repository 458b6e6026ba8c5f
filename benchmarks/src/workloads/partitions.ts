/** A store with very many non-empty partitions, in a process that may open 1,024 files. */
import { join } from "node:path";
import { LogStore } from "@logstore/core";
import type { PartitionsReport } from "../processes/programs/use-partitions.ts";
import { runProgram } from "../processes/run-program.ts";
import { progress } from "../reports/progress.ts";
import type { Settings } from "../settings.ts";
import { figure, type Result } from "../statistics/result.ts";
import { inTurns, timed } from "../statistics/rounds.ts";
import { eachOf } from "./each-of.ts";
import { record } from "./records.ts";

const MB = 1e6;
const OPEN_FILES = 1_024;
const RECORDS_EACH = 10;

export async function manyPartitions({ directory, partitions, rounds }: Settings): Promise<Result[]> {
  const path = join(directory, "store");
  progress(`building a store of ${partitions.toLocaleString("en")} partitions`);
  const built = await build(path, partitions);
  const use = async () => {
    const options = { nodeFlags: ["--expose-gc"], openFiles: OPEN_FILES };
    return (await runProgram<PartitionsReport>("use-partitions", [path], options)).report;
  };
  const { used, nothing } = await inTurns(rounds, {
    used: use,
    nothing: async () => (await runProgram<{ rssBytes: number }>("nothing", [])).report,
  });
  const name = (what: string) => `${partitions.toLocaleString("en")} partitions: ${what}`;
  const failure = used.find((report) => report.failure !== undefined)?.failure;
  if (failure !== undefined) progress(`failed: ${failure}`);
  return [
    figure({ title: name("build, one append to each"), unit: "ms" }, [built]),
    figure(
      { title: name("open"), unit: "ms", goal: { atMost: 3_000 } },
      used.map(({ openMs }) => openMs),
    ),
    figure(
      { title: name("resident, idle after open"), unit: "MB", goal: { atMost: 200 } },
      used.map(({ idleRssBytes }) => idleRssBytes / MB),
    ),
    figure(
      { title: "resident, an empty process", unit: "MB" },
      nothing.map(({ rssBytes }) => rssBytes / MB),
    ),
    figure({ title: name("one append to each, written"), unit: "ms" }, times(used.map(({ appendMs }) => appendMs))),
    figure({ title: name("first record of each"), unit: "ms" }, times(used.map(({ readMs }) => readMs))),
  ];
}

/** NaN for a failed run. */
function times(values: readonly (number | undefined)[]): number[] {
  return values.map((value) => value ?? Number.NaN);
}

async function build(directory: string, partitions: number): Promise<number> {
  const store = await LogStore.open(directory, { partitions, durability: "written" });
  const records = Array.from({ length: RECORDS_EACH }, () => record);
  const { ms } = await timed(partitions, () => eachOf(partitions, (partition) => store.appendMany(partition, records)));
  await store.close();
  return ms;
}
