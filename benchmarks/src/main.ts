/**
 * Measures LogStore beside the limits of the machine and beside other systems, in the same run:
 * `pnpm bench`. README.md describes the workloads and the flags.
 */
import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machine } from "./reports/machine.ts";
import { progress } from "./reports/progress.ts";
import type { Report } from "./reports/report.ts";
import { printRatios, printResult } from "./reports/table.ts";
import { FULL, QUICK, type Settings } from "./settings.ts";
import type { Result } from "./statistics/result.ts";
import { WORKLOADS } from "./workloads/list.ts";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    beside: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    directory: { type: "string", default: tmpdir() },
    rounds: { type: "string" },
    records: { type: "string" },
    "run-ms": { type: "string" },
    "latency-ms": { type: "string" },
    "store-bytes": { type: "string" },
    partitions: { type: "string" },
    "endurance-minutes": { type: "string" },
  },
});

const names = chosen();
const root = await mkdtemp(join(flags.directory, "logstore-bench-"));
await chmod(root, 0o711); // for servers that run as a user of their own
for (const [signal, number] of [["SIGINT", 2] as const, ["SIGTERM", 15] as const]) {
  process.once(signal, () => {
    rmSync(root, { recursive: true, force: true }); // it may be many gigabytes
    process.exit(128 + number);
  });
}
const settings = settingsOf(root);
const results: Result[] = [];
const failures: string[] = [];
try {
  for (const name of names) await run(name);
} finally {
  await rm(root, { recursive: true, force: true });
}
printRatios(results);
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(report(), null, 1)}\n`);
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;

async function run(name: string): Promise<void> {
  const begun = performance.now();
  const directory = join(root, name);
  await mkdir(directory);
  progress(name);
  try {
    const found = await WORKLOADS[name]!.run({ ...settings, directory });
    results.push(...found);
    for (const result of found) printResult(result);
  } catch (error) {
    console.error(`${name} failed:`, error);
    failures.push(`${name} failed: ${error}`);
  }
  await rm(directory, { recursive: true, force: true });
  progress(`${name}: ${Math.round((performance.now() - begun) / 1_000)} s`);
}

function chosen(): string[] {
  const unknown = flags.only.find((name) => WORKLOADS[name] === undefined);
  if (unknown !== undefined) {
    throw new Error(`there is no workload ${unknown}: they are ${Object.keys(WORKLOADS).join(", ")}`);
  }
  if (flags.only.length > 0) return flags.only;
  const all = Object.entries(WORKLOADS).filter(([, { isQuick, isOptional }]) =>
    flags.quick ? isQuick : isOptional !== true,
  );
  return all.map(([name]) => name);
}

function settingsOf(directory: string): Settings {
  const defaults = flags.quick ? QUICK : FULL;
  return {
    directory,
    isQuick: flags.quick,
    beside: flags.beside,
    rounds: Number(flags.rounds ?? defaults.rounds),
    records: Number(flags.records ?? defaults.records),
    runMs: Number(flags["run-ms"] ?? defaults.runMs),
    latencyMs: Number(flags["latency-ms"] ?? defaults.latencyMs),
    storeBytes: Number(flags["store-bytes"] ?? defaults.storeBytes),
    partitions: Number(flags.partitions ?? defaults.partitions),
    enduranceMinutes: Number(flags["endurance-minutes"] ?? defaults.enduranceMinutes),
  };
}

function report(): Report {
  const { directory: _, ...kept } = settings;
  return { date: new Date().toISOString(), machine: machine(flags.directory), settings: kept, results, failures };
}
