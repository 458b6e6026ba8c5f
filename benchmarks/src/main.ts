/**
 * Compares LogStore with the limits of the same machine in the same run, as ratios: `pnpm bench`.
 * README.md describes the groups; `served-tls`, `streams`, `large`, `partitions` and `groups` run
 * only when named.
 */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { engine } from "./engine.ts";
import { consumerGroups } from "./groups.ts";
import { large } from "./large.ts";
import type { Result } from "./measure.ts";
import { manyPartitions } from "./partitions.ts";
import { printResults, progress } from "./report.ts";
import { served, servedWithTls } from "./served.ts";
import type { Settings } from "./settings.ts";
import { streams } from "./streams.ts";

const { values } = parseArgs({
  options: {
    records: { type: "string", default: "2000000" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", multiple: true, default: ["engine", "served"] },
    directory: { type: "string", default: tmpdir() },
    "store-bytes": { type: "string", default: "10e9" },
    partitions: { type: "string", default: "10000" },
  },
});
const records = Number(values.records);
const rounds = Number(values.rounds);
const groups: Record<string, (settings: Settings) => Promise<Result[]>> = {
  engine,
  served,
  "served-tls": servedWithTls,
  streams,
  large,
  partitions: manyPartitions,
  groups: consumerGroups,
};

const unknown = values.only.find((name) => groups[name] === undefined);
if (unknown !== undefined) throw new Error(`there is no group ${unknown}: they are ${Object.keys(groups).join(", ")}`);
console.log(
  `Node ${process.versions.node}, ${cpus().length} cores; ${records} records of 100 bytes a run, ${rounds} pairs of runs`,
);
const root = await mkdtemp(join(values.directory, "logstore-bench-"));
process.once("SIGINT", () => {
  rmSync(root, { recursive: true, force: true }); // it may be many gigabytes
  process.exit(130);
});
try {
  for (const name of values.only) {
    const directory = join(root, name);
    await mkdir(directory);
    const storeBytes = Number(values["store-bytes"]);
    progress(name);
    try {
      printResults(
        await groups[name]!({ directory, records, rounds, storeBytes, partitions: Number(values.partitions) }),
      );
    } catch (error) {
      console.error(`${name} failed:`, error);
      process.exitCode = 1;
    }
    await rm(directory, { recursive: true, force: true });
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
