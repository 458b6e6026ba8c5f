/**
 * Prints the size of each package for its users, and fails if it exceeds its budget in
 * package-budgets.json: the tarball, its unpacked files, and the number of third-party packages
 * that are installed with it, directly or indirectly. The packages must be built.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../", import.meta.url));
const budgets = JSON.parse(readFileSync(new URL("package-budgets.json", import.meta.url), "utf8"));
const manifestOf = (directory) => JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));

/** Sizes in KiB. Packed by pnpm, as for publishing. */
function sizesOf(directory) {
  const target = mkdtempSync(join(tmpdir(), "logstore-sizes-"));
  try {
    const { packageManager } = manifestOf(root);
    execFileSync("npx", ["--yes", "--prefer-offline", packageManager, "pack", "--pack-destination", target], {
      cwd: directory,
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    });
    const tarball = join(target, readdirSync(target)[0]);
    const unpacked = gunzipSync(readFileSync(tarball)).length;
    return { packedKiB: Math.ceil(statSync(tarball).size / 1024), unpackedKiB: Math.ceil(unpacked / 1024) };
  } finally {
    rmSync(target, { recursive: true });
  }
}

/** The directory of a dependency of the package in `directory`, as Node resolves it. */
function find(directory, name) {
  for (let at = directory; ; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    if (existsSync(candidate)) return realpathSync(candidate);
    if (at === dirname(at)) throw new Error(`${name} is not installed for ${directory}`);
  }
}

function addDependencies(directory, found) {
  for (const name of Object.keys(manifestOf(directory).dependencies ?? {})) {
    const dependency = find(directory, name);
    if (found.has(dependency)) continue;
    found.add(dependency);
    addDependencies(dependency, found);
  }
  return found;
}

const rows = Object.keys(budgets).map((name) => {
  const directory = join(root, "packages", name);
  const all = [...addDependencies(directory, new Set())];
  const dependencies = all.filter((path) => !manifestOf(path).name.startsWith("@logstore/")).length;
  return { name, ...sizesOf(directory), dependencies };
});
console.table(Object.fromEntries(rows.map(({ name, ...sizes }) => [name, sizes])));

for (const { name, ...sizes } of rows) {
  for (const [what, size] of Object.entries(sizes)) {
    const budget = budgets[name][what];
    if (size <= budget) continue;
    console.error(`@logstore/${name}: ${what} is ${size}, and its budget is ${budget} (scripts/package-budgets.json)`);
    process.exitCode = 1;
  }
}
