/**
 * Measures LogStore beside the limits of the machine and beside other systems, in the same run:
 * `pnpm bench`. README.md describes the workloads and the flags.
 */
import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ServerPool } from "./processes/server-pool.ts";
import { machine } from "./reports/machine.ts";
import { progress } from "./reports/progress.ts";
import type { Report } from "./reports/report.ts";
import { printBuilds, printGoals, printResult } from "./reports/table.ts";
import { FULL, QUICK, type Settings } from "./settings.ts";
import { buildRatios } from "./statistics/builds.ts";
import type { Result } from "./statistics/result.ts";
import { WORKLOADS, type Workload } from "./workloads/list.ts";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    beside: { type: "string", multiple: true, default: [] },
    compare: { type: "string" },
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
const settings = settingsOf(new ServerPool(join(root, "servers")));
const results: Result[] = [];
const failures: string[] = [];
try {
  for (const name of names) await run(name, WORKLOADS[name]!);
} finally {
  await stopServers();
  await rm(root, { recursive: true, force: true });
}
judge();
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(report(), null, 1)}\n`);
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;

async function run(name: string, { run: measure, isServed }: Workload): Promise<void> {
  const begun = performance.now();
  const directory = join(root, name);
  await mkdir(directory);
  if (!isServed) await stopServers();
  progress(name);
  try {
    const found = await measure({ ...settings, directory });
    results.push(...found);
    for (const result of found) printResult(result);
  } catch (error) {
    console.error(`${name} failed:`, error);
    failures.push(`${name} failed: ${String(error).split("\n")[0]}`);
  }
  await rm(directory, { recursive: true, force: true });
  progress(`${name}: ${Math.round((performance.now() - begun) / 1_000)} s`);
}

/** Servers that are idle would still disturb what does not need them. */
async function stopServers(): Promise<void> {
  await settings.servers.stop();
  await rm(join(root, "servers"), { recursive: true, force: true });
}

/** Prints what is to be reached; of two builds, whether this one is slower. */
function judge(): void {
  if (flags.compare === undefined) {
    printGoals(results);
    return;
  }
  const ratios = results.flatMap(buildRatios);
  printBuilds(ratios);
  const slower = ratios.filter(({ verdict }) => verdict === "slower").map(({ name }) => name);
  if (slower.length > 0) failures.push(`slower than the other build: ${slower.join(", ")}`);
}

function chosen(): string[] {
  const unknown = flags.only.find((name) => WORKLOADS[name] === undefined);
  if (unknown !== undefined) {
    throw new Error(`there is no workload ${unknown}: they are ${Object.keys(WORKLOADS).join(", ")}`);
  }
  if (flags.only.length > 0) return flags.only;
  const isWanted = ({ isQuick, isOptional, comparesBuilds }: Workload) => {
    if (flags.compare !== undefined) return comparesBuilds === true;
    return flags.quick ? isQuick === true : isOptional !== true;
  };
  return Object.keys(WORKLOADS).filter((name) => isWanted(WORKLOADS[name]!));
}

function settingsOf(servers: ServerPool): Settings {
  const defaults = flags.quick ? QUICK : FULL;
  return {
    directory: root,
    servers,
    isQuick: flags.quick,
    beside: flags.beside,
    otherCheckout: flags.compare === undefined ? undefined : resolve(flags.compare),
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
  const { directory: _, servers: __, otherCheckout: ___, ...kept } = settings;
  return { date: new Date().toISOString(), machine: machine(flags.directory), settings: kept, results, failures };
}
