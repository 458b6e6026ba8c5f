/**
 * Throughput of LogStore beside the limits of the same machine, in the same run, as ratios: `pnpm bench`.
 * `--records N` (a run), `--rounds N` (pairs of runs), `--only embedded|served`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { embedded } from "./embedded.ts";
import type { Comparison } from "./measure.ts";
import { served } from "./served.ts";

const { values } = parseArgs({
  options: {
    records: { type: "string", default: "2000000" },
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    directory: { type: "string", default: tmpdir() },
  },
});
const records = Number(values.records);
const rounds = Number(values.rounds);

console.log(
  `Node ${process.versions.node}, ${cpus().length} cores; ${records} records of 100 bytes a run, ${rounds} pairs of runs`,
);
const directory = await mkdtemp(join(values.directory, "logstore-bench-"));
try {
  const comparisons: Comparison[] = [];
  if (values.only !== "served") comparisons.push(...(await embedded(join(directory, "embedded"), records, rounds)));
  if (values.only !== "embedded") comparisons.push(...(await served(join(directory, "served"), records, rounds)));
  const perSecond = (value: number) => Math.round(value).toLocaleString("en");
  console.table(
    comparisons.map(({ name, limitName, unit, ours, limit, ratio }) => ({
      what: name,
      "a second": `${perSecond(ours)} ${unit}`,
      "limit, a second": `${perSecond(limit)} (${limitName})`,
      ratio: ratio.median.toFixed(2),
      "min–max": `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`,
    })),
  );
} finally {
  await rm(directory, { recursive: true, force: true });
}
