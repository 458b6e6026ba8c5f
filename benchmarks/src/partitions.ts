/** A store with very many non-empty partitions, in a process that may open 1,024 files. */
import { join } from "node:path";
import { LogStore } from "@logstore/core";
import { runChild } from "./child.ts";
import type { PartitionsReport } from "./children/use-partitions.ts";
import { eachOf } from "./each-of.ts";
import { figure, inTurns, type Result, timed } from "./measure.ts";
import { record } from "./records.ts";
import { progress } from "./report.ts";
import type { Settings } from "./settings.ts";

const MB = 1e6;
const OPEN_FILES = 1_024;
const RECORDS_EACH = 10;

export async function manyPartitions({ directory, partitions, rounds }: Settings): Promise<Result[]> {
  const path = join(directory, "store");
  progress(`building a store of ${partitions.toLocaleString("en")} partitions`);
  const built = await build(path, partitions);
  const use = async () => {
    const options = { nodeFlags: ["--expose-gc"], openFiles: OPEN_FILES };
    return (await runChild<PartitionsReport>("use-partitions", [path], options)).report;
  };
  const { used, nothing } = await inTurns(rounds, {
    used: use,
    nothing: async () => (await runChild<{ rssBytes: number }>("nothing", [])).report,
  });
  const name = (what: string) => `${partitions.toLocaleString("en")} partitions: ${what}`;
  const failure = used.find((report) => report.failure !== undefined)?.failure;
  if (failure !== undefined) progress(`failed: ${failure}`);
  return [
    figure({ name: name("build, one append to each"), unit: "ms" }, [built]),
    figure(
      { name: name("open"), unit: "ms", target: { atMost: 3_000 } },
      used.map(({ openMs }) => openMs),
    ),
    figure(
      { name: name("resident, idle after open"), unit: "MB", target: { atMost: 200 } },
      used.map(({ idleRssBytes }) => idleRssBytes / MB),
    ),
    figure(
      { name: "resident, an empty process", unit: "MB" },
      nothing.map(({ rssBytes }) => rssBytes / MB),
    ),
    figure({ name: name("one append to each, written"), unit: "ms" }, times(used.map(({ appendMs }) => appendMs))),
    figure({ name: name("first record of each"), unit: "ms" }, times(used.map(({ readMs }) => readMs))),
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
