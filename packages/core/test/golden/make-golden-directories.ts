/**
 * Generates the golden directories: `node make-golden-directories.ts` lists those that differ, and
 * `--write` writes them. See README.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { corruptDirectories } from "./corrupt.ts";
import { gapAtTheEnd, goodBroker, goodStore, killedStore } from "./good.ts";

export const GOLDEN = new URL("v1/", import.meta.url);

/** The contents of every golden file, by its path below {@link GOLDEN}. */
export function goldenFiles(): Map<string, Buffer> {
  const all = {
    store: goodStore(),
    "killed-store": killedStore(),
    "gap-at-the-end": gapAtTheEnd(),
    broker: goodBroker(),
  };
  const corrupt = Object.entries(corruptDirectories).map(([name, made]) => [`corrupt/${name}`, made] as const);
  const files = new Map<string, Buffer>();
  for (const [name, { files: content, expected }] of [...Object.entries(all), ...corrupt]) {
    files.set(`${name}/expected.json`, Buffer.from(`${lines(expected, 0)}\n`));
    for (const [path, bytes] of Object.entries(content)) files.set(`${name}/files/${path}`, bytes);
  }
  return files;
}

/** Human-readable JSON: whatever fits on one line is on one line. */
function lines(value: unknown, depth: number): string {
  const line = JSON.stringify(value);
  if (typeof value !== "object" || value === null || line.length + 2 * depth < 120) return line;
  const [next, end] = ["  ".repeat(depth + 1), "  ".repeat(depth)];
  if (Array.isArray(value)) return `[\n${value.map((each) => next + lines(each, depth + 1)).join(",\n")}\n${end}]`;
  const fields = Object.entries(value).map(
    ([name, each]) => `${next}${JSON.stringify(name)}: ${lines(each, depth + 1)}`,
  );
  return `{\n${fields.join(",\n")}\n${end}}`;
}

if (import.meta.main) {
  for (const [path, bytes] of goldenFiles()) {
    const file = new URL(path, GOLDEN);
    if (existsSync(file) && readFileSync(file).equals(bytes)) continue;
    process.stdout.write(`${path}\n`);
    process.exitCode = process.argv.includes("--write") ? 0 : 1;
    if (process.exitCode === 1) continue;
    mkdirSync(dirname(file.pathname), { recursive: true });
    writeFileSync(file, bytes);
  }
}
