import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { RecordBatchBuilder } from "../src/index.js";

const root = new URL("../", import.meta.url);

test("nothing imported in a browser uses a node: module or a global of Node", () => {
  const files = importGraph(new URL(manifest.exports["."], root));
  const platforms = [...files.keys()].filter((file) => file.includes("/dist/platform/"));
  expect(platforms).toEqual([expect.stringContaining("portable.js")]);
  for (const [file, code] of files) {
    expect(code, file).not.toMatch(
      /["']node:|\bBuffer\b|\bprocess\s*[.[]|\brequire\s*\(|\bimport\.meta\b|\bsetImmediate\b/,
    );
  }
});

test("the built package round-trips a batch without Node, and reports that it has no compression", () => {
  const script = fileURLToPath(new URL("test/browser/round-trip.mjs", root));
  const output = JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8" })) as Record<string, unknown>;
  const builder = new RecordBatchBuilder();
  builder.append("zoë", "value ".repeat(100), 1_700_000_000_000, [{ name: "trace", value: "a1" }]);
  builder.append(null, Uint8Array.of(0, 255), 1_700_000_000_001);
  expect(output).toEqual({
    buffer: "undefined",
    class: "Uint8Array",
    first: ["zoë", "value ".repeat(100), 1_700_000_000_000, "trace", "a1"],
    second: [null, [0, 255], 1_700_000_000_001],
    accepted: 2,
    bytes: [...builder.seal()],
    gzip: "UNSUPPORTED_COMPRESSION",
    zstd: "UNSUPPORTED_COMPRESSION",
    damaged: "CORRUPT_BATCH",
    foreign: "FOREIGN_FORMAT",
  });
});

/**
 * All files that `entry` imports, directly or indirectly, with their code without comments; "#…" is
 * resolved as in a browser.
 */
function importGraph(entry: URL): Map<string, string> {
  const files = new Map<string, string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file.href)) continue;
    const code = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|(?<=[;{})]) *\/\/.*$/gm, "");
    files.set(file.href, code);
    for (const [, specifier] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)) {
      if (specifier === "#platform") waiting.push(new URL(manifest.imports["#platform"].default, root));
      else if (specifier?.startsWith(".")) waiting.push(new URL(specifier, file));
      else expect.fail(`${file.href} imports ${specifier}`);
    }
  }
  return files;
}
