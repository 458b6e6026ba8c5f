/** Installs the published packages with the usual package managers, and checks their budgets. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Place, run } from "./processes.ts";
import type { Report } from "./report.ts";
import type { Served } from "./served.ts";
import type { Workshop } from "./workshop.ts";

/** For each package, the largest number of foreign packages that may be installed with it. */
const budgets: Readonly<Record<string, number>> = { "@logstore/core": 0, "@logstore/client": 40 };

interface Manager {
  /** Returns the command of the package manager, and installs it first if necessary. */
  readonly command: (workshop: Workshop) => Promise<string>;
  readonly add: readonly string[];
}

export const managers: Readonly<Record<string, Manager>> = {
  npm: { command: async () => "npm", add: ["install", "--no-audit", "--no-fund"] },
  pnpm: { command: async () => "npx", add: ["--yes", "--prefer-offline", "pnpm@12.21.0", "add"] },
  yarn: { command: async (workshop) => join(await workshop.tool("yarn"), "bin/yarn.js"), add: ["add", "--silent"] },
  bun: { command: async (workshop) => bunCommand(workshop), add: ["add", "--silent"] },
};

/** The bun binary of the package. */
export async function bunCommand(workshop: Workshop): Promise<string> {
  return join(await workshop.tool("bun"), "../.bin/bun");
}

export async function install(workshop: Workshop, manager: string, place: Place, names: readonly string[]) {
  const { command, add } = managers[manager]!;
  await run(await command(workshop), [...add, ...names], place);
}

export async function checkInstalls(report: Report, workshop: Workshop, served: Served): Promise<void> {
  for (const manager of Object.keys(managers)) {
    for (const [name, check, program] of [
      ["@logstore/core", "core", "core.mjs"],
      ["@logstore/client", "client", "client.mjs"],
    ] as const) {
      await report.check(manager, `installs ${check}`, async () => {
        const place = workshop.app(`${manager}-${check}`);
        await managers[manager]!.command(workshop); // not included in the measured time
        const begun = performance.now();
        await install(workshop, manager, place, [name]);
        const seconds = ((performance.now() - begun) / 1000).toFixed(1);
        const args = check === "client" ? [served.address, `installed-by-${manager}`] : [];
        const said = await run(process.execPath, [join("programs", program), ...args], place);
        expectSaid(said, check);
        const { others, bytes } = installed(join(place.cwd, "node_modules"));
        const limit = budgets[name]!;
        if (others.size > limit) {
          throw new Error(`${others.size} packages of others, and the budget is ${limit}: ${[...others].join(" ")}`);
        }
        return `${others.size} packages of others (at most ${limit}), ${(bytes / 1e6).toFixed(1)} MB, ${seconds} s`;
      });
    }
  }
}

const expected: Readonly<Record<string, string>> = {
  core: "Hello World, flushed",
  client: "read abc, consumed abc, committed 3",
  codec: "Hello World, 2 records, CORRUPT_BATCH",
  "require()": "required, 0, function",
};

export function expectSaid(said: string, check: string): void {
  const line = said.trim();
  if (line !== expected[check]) throw new Error(`the program said "${line}", and not "${expected[check]}"`);
}

/**
 * The foreign packages in a node_modules directory, as name@version, and the total size of all
 * packages.
 */
function installed(modules: string): { others: Set<string>; bytes: number } {
  const others = new Set<string>();
  let bytes = 0;
  const walk = (directory: string) => {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const stat = lstatSync(path);
      if (stat.isFile()) bytes += stat.size;
      if (!stat.isDirectory()) continue; // the targets of pnpm's links are counted elsewhere
      const parts = path.split("node_modules/").at(-1)!.split("/");
      const isPackage = path.includes("node_modules/") && parts.length === (parts[0]!.startsWith("@") ? 2 : 1);
      if (isPackage && !name.startsWith(".")) {
        const found = manifestOf(path);
        if (found && !found.name.startsWith("@logstore/")) others.add(`${found.name}@${found.version}`);
      }
      walk(path);
    }
  };
  walk(modules);
  return { others, bytes };
}

function manifestOf(directory: string): { name: string; version: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  } catch {
    return undefined; // the directory of a scope
  }
}
