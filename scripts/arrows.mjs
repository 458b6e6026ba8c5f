/**
 * Checks who imports whom within each package, type imports included, which the linter's
 * `noImportCycles` passes over:
 *
 * - no file and no folder imports another in a circle;
 * - the folders of core import exactly what the table in docs/architecture.md allows.
 *
 *     node scripts/arrows.mjs
 */
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";

const { dirname, join } = posix;
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;
const CORE = "packages/core/src";
const TABLE_FILE = "docs/architecture.md";
/** `| folder | what it holds | what it imports |`, with the names of folders in backticks. */
const TABLE_ROW = /^\| `([^`]+)` \|[^|]*\|([^|]*)\|$/gm;

const problems = globSync("packages/*/src").flatMap((path) => check(path.replaceAll("\\", "/")));
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function check(root) {
  const files = filesIn(root);
  const folders = foldersOf(files);
  const found = [...circlesIn(files), ...circlesIn(folders)].map((arrows) => {
    const lines = arrows.map(([from, to]) => `  ${from} imports ${to.join(", ")}`);
    return `${root}: these import each other in a circle:\n${lines.join("\n")}`;
  });
  return root === CORE ? [...found, ...differences(folders, allowedFolders())] : found;
}

/** What each file imports, relative to the root. Tests are left out: nobody imports them. */
function filesIn(root) {
  const names = globSync("**/*.ts", { cwd: root }).map((name) => name.replaceAll("\\", "/"));
  const sources = names.filter((name) => !name.endsWith(".test.ts")).sort();
  return new Map(sources.map((name) => [name, importsOf(root, name)]));
}

function importsOf(root, name) {
  const specifiers = Array.from(readFileSync(join(root, name), "utf8").matchAll(IMPORT), (match) => match[1]);
  return new Set(specifiers.map((specifier) => join(dirname(name), specifier).replace(/\.js$/, ".ts")));
}

/** What the files of each folder import from other folders. The root is ".". */
function foldersOf(files) {
  const folders = new Map();
  for (const [file, imports] of files) {
    const folder = dirname(file);
    const others = folders.get(folder) ?? new Set();
    for (const imported of imports) if (dirname(imported) !== folder) others.add(dirname(imported));
    folders.set(folder, others);
  }
  return folders;
}

/** The strongly connected components of two nodes or more (Tarjan), with the arrows in each. */
function circlesIn(graph) {
  const circles = [];
  const path = [];
  const index = new Map();
  const lowest = new Map();
  const visit = (node) => {
    index.set(node, index.size);
    lowest.set(node, index.get(node));
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (path.includes(next)) lowest.set(node, Math.min(lowest.get(node), lowest.get(next)));
    }
    if (lowest.get(node) !== index.get(node)) return;
    const circle = path.splice(path.indexOf(node));
    if (circle.length > 1) circles.push(circle.map((from) => [from, circle.filter((to) => graph.get(from).has(to))]));
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return circles;
}

function allowedFolders() {
  const rows = readFileSync(TABLE_FILE, "utf8").matchAll(TABLE_ROW);
  const names = (cell) => new Set(Array.from(cell.matchAll(/`([^`]+)`/g), (match) => match[1]));
  return new Map(Array.from(rows, ([, folder, imports]) => [folder, names(imports)]));
}

function differences(folders, allowed) {
  const found = [];
  for (const [folder, imports] of folders) {
    if (folder === ".") continue; // the index exports whatever the package offers
    const row = allowed.get(folder);
    if (row === undefined) {
      found.push(`${TABLE_FILE}: the table of core's folders has no row for \`${folder}\``);
      continue;
    }
    const more = [...imports].filter((name) => !row.has(name));
    const less = [...row].filter((name) => !imports.has(name));
    if (more.length > 0)
      found.push(`${CORE}/${folder} imports ${more.join(", ")}, and ${TABLE_FILE} does not allow that`);
    if (less.length > 0) found.push(`${TABLE_FILE}: \`${folder}\` imports nothing of ${less.join(", ")}`);
  }
  for (const folder of allowed.keys())
    if (!folders.has(folder)) found.push(`${TABLE_FILE}: core has no folder \`${folder}\``);
  return found;
}
