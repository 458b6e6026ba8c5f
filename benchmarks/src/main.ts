/**
 * Measures LogStore beside the limits of the machine and beside other systems, in the same run:
 * `pnpm bench`. README.md describes the workloads and the flags.
 */
import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ServerPool } from "./processes/server-pool.ts";
import { type Machine, machine } from "./reports/machine.ts";
import { progress } from "./reports/progress.ts";
import type { Report, WorkloadRun } from "./reports/report.ts";
import { printBuilds, printGoals, printResult } from "./reports/table.ts";
import { FULL, QUICK, type Settings } from "./settings.ts";
import { buildRatios } from "./statistics/builds.ts";
import type { Result } from "./statistics/result.ts";
import { expectedSeconds, WORKLOADS, type Workload } from "./workloads/list.ts";

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    beside: { type: "string", multiple: true, default: [] },
    compare: { type: "string" },
    json: { type: "string" },
    continue: { type: "boolean", default: false },
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
const here = machine(flags.directory);
const earlier = flags.continue ? await earlierRun(here) : undefined;
const runs: WorkloadRun[] = earlier?.workloads.filter(({ failure }) => failure === undefined) ?? [];
const results: Result[] = [...(earlier?.results ?? [])];
try {
  const left = names.filter((name) => runs.every((done) => done.name !== name));
  for (const [i, name] of left.entries()) await run(name, WORKLOADS[name]!, left.slice(i));
} finally {
  await stopServers();
  await rm(root, { recursive: true, force: true });
}
judge();

async function run(name: string, { run: measure, isServed }: Workload, left: readonly string[]): Promise<void> {
  const begun = performance.now();
  const directory = join(root, name);
  await mkdir(directory);
  if (!isServed) await stopServers();
  progress(`${name}${expectation(left)}`);
  let failure: string | undefined;
  try {
    const found = await measure({ ...settings, directory });
    results.push(...found);
    for (const result of found) printResult(result);
  } catch (error) {
    console.error(`${name} failed:`, error);
    failure = String(error).split("\n")[0];
    process.exitCode = 1;
  }
  await rm(directory, { recursive: true, force: true });
  const seconds = Math.round((performance.now() - begun) / 1_000);
  runs.push({ name, seconds, ...(failure !== undefined && { failure }) });
  progress(`${name}: ${seconds} s`);
  // After each of them, so that a run that is interrupted can be continued.
  if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(report(), null, 1)}\n`);
}

/** As ": workload 3 of 9, about 4 min; 20 min for all that are left". */
function expectation(left: readonly string[]): string {
  const minutes = (some: readonly string[]) => {
    const seconds = some.reduce((sum, name) => sum + expectedSeconds(name, settings), 0);
    return seconds < 100 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
  };
  const place = `workload ${names.indexOf(left[0]!) + 1} of ${names.length}`;
  return `: ${place}, about ${minutes(left.slice(0, 1))}; ${minutes(left)} until the end`;
}

/** Servers that are idle would still disturb what does not need them. */
async function stopServers(): Promise<void> {
  await settings.servers.stop();
  await rm(join(root, "servers"), { recursive: true, force: true });
}

/** Prints what is to be reached; of two builds, whether this one is slower. */
function judge(): void {
  for (const { name, failure } of runs) if (failure !== undefined) console.error(`${name} failed: ${failure}`);
  if (flags.compare === undefined) {
    printGoals(results);
    return;
  }
  const ratios = results.flatMap(buildRatios);
  printBuilds(ratios);
  const slower = ratios.filter(({ verdict }) => verdict === "slower").map(({ name }) => name);
  if (slower.length === 0) return;
  console.error(`slower than the other build: ${slower.join(", ")}`);
  process.exitCode = 1;
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
  const rounds = flags.compare === undefined ? defaults.rounds : FULL.rounds; // two builds need as many as they can get
  return {
    directory: root,
    servers,
    isQuick: flags.quick,
    beside: flags.beside,
    otherCheckout: flags.compare === undefined ? undefined : resolve(flags.compare),
    rounds: Number(flags.rounds ?? rounds),
    records: Number(flags.records ?? defaults.records),
    runMs: Number(flags["run-ms"] ?? defaults.runMs),
    latencyMs: Number(flags["latency-ms"] ?? defaults.latencyMs),
    storeBytes: Number(flags["store-bytes"] ?? defaults.storeBytes),
    partitions: Number(flags.partitions ?? defaults.partitions),
    enduranceMinutes: Number(flags["endurance-minutes"] ?? defaults.enduranceMinutes),
  };
}

/** What `--json` holds of a run of the same commit on the same machine. */
async function earlierRun({ commit, processor, cores }: Machine): Promise<Report> {
  if (flags.json === undefined) throw new Error("--continue needs the file of the earlier run: --json FILE");
  const report: Report = JSON.parse(await readFile(flags.json, "utf8"));
  const { machine: then } = report;
  if (then.commit !== commit || then.processor !== processor || then.cores !== cores) {
    throw new Error(`${flags.json} is of commit ${then.commit} on ${then.processor}: it cannot be continued here`);
  }
  return report;
}

function report(): Report {
  const { directory: _, servers: __, otherCheckout: ___, ...kept } = settings;
  return { date: new Date().toISOString(), machine: here, settings: kept, workloads: runs, results };
}
