/**
 * Rehearses a release: `pnpm release:rehearse`. Publishes a copy of this repository to a registry
 * on the loopback address with the commands of the release workflow, and installs and uses the
 * packages from there like a user. Checks whose tools are unavailable are skipped. Exits with 1 if
 * a check failed.
 *
 * `--json FILE` writes the results; `--record` writes docs/works-with.json and the tables of
 * docs/works-with.md; `--keep` keeps the working directory.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkBundlers } from "./bundling.ts";
import { checkCommandLine } from "./command-line.ts";
import { checkDeclarations } from "./declarations.ts";
import { checkInstalls } from "./packages.ts";
import { killAll } from "./processes.ts";
import { startRegistry } from "./registry.ts";
import { checkVersionsTogether, release } from "./releases.ts";
import { print, Report } from "./report.ts";
import { Repository } from "./repository.ts";
import { checkRuntimes } from "./runtimes.ts";
import { serveInstalled } from "./served.ts";
import { checkStarters } from "./starters.ts";
import { checkWorkflows } from "./workflows.ts";
import { withTables } from "./works-with.ts";
import { Workshop } from "./workshop.ts";

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    record: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});

const report = new Report();
const workshop = new Workshop();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    cleanUp();
    process.exit(1);
  });
}

try {
  await rehearse();
  write(); // before the clean-up, which takes some time
} finally {
  cleanUp();
}
process.exitCode = report.summary() ? 0 : 1;

function write(): void {
  const record = { date: new Date().toISOString().slice(0, 10) };
  if (values.json !== undefined) report.write(values.json, record);
  if (values.record) {
    const json = new URL("../../../docs/works-with.json", import.meta.url);
    const page = new URL("../../../docs/works-with.md", import.meta.url);
    report.write(json, record);
    writeFileSync(page, withTables(readFileSync(page, "utf8"), JSON.parse(readFileSync(json, "utf8"))));
  }
}

async function rehearse(): Promise<void> {
  report.title("A copy of the repository, and a registry");
  let repository: Repository | undefined;
  let stopRegistry = async () => {};
  await report.check("repository", "installed and built", async () => {
    repository = await Repository.copy(workshop);
    return undefined;
  });
  await report.check("registry", "on the loopback address", async () => {
    stopRegistry = await startRegistry(workshop, Object.keys(repository?.versions ?? {}));
    return undefined;
  });
  await checkWorkflows(report, workshop);
  if (repository === undefined || workshop.registry === undefined) return;
  report.title("Releases");
  const released = await release(report, repository);
  if (released !== undefined) await useThem(released.old, released.now);
  await stopRegistry();
}

async function useThem(old: Record<string, string>, now: Record<string, string>): Promise<void> {
  await checkVersionsTogether(report, workshop, old, now);
  const served = await serveInstalled(workshop, now["@logstore/server-grpc"]!);
  try {
    report.title("Package managers");
    await checkInstalls(report, workshop, served);
    report.title("Runtimes");
    await checkRuntimes(report, workshop, served);
    report.title("Bundlers");
    await checkBundlers(report, workshop, served);
    report.title("TypeScript");
    await checkDeclarations(report, workshop, now);
    report.title("The command line");
    await checkCommandLine(report, workshop, now);
    report.title("Starters");
    await checkStarters(report, workshop, now);
  } finally {
    await served.stop();
  }
}

function cleanUp(): void {
  killAll();
  if (values.keep) print(`\nkept: ${workshop.directory}`);
  else workshop.close();
}
