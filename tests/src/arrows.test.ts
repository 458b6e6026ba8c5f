/**
 * Allowed imports between packages: the lint refuses all dependencies that the design does not
 * contain.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const biome = fileURLToPath(new URL("node_modules/.bin/biome", `file://${root}`));
/**
 * An empty copy of the workspace with its lint rules and packages, so that test files stay out of
 * the real one.
 */
let tree: string;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "logstore-arrows-"));
  for (const name of ["biome.json", ".gitignore", "package.json"]) cpSync(join(root, name), join(tree, name));
  for (const name of readdirSync(join(root, "packages"))) {
    mkdirSync(join(tree, "packages", name, "src"), { recursive: true });
    cpSync(join(root, "packages", name, "package.json"), join(tree, "packages", name, "package.json"));
  }
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

/** Lints a file of a package that imports the given module. */
function lint(packageName: string, imported: string): { refused: boolean; output: string } {
  const file = join(tree, "packages", packageName, "src", "arrow.ts");
  writeFileSync(file, `import * as imported from "${imported}";\n\nexport const used = imported;\n`);
  const { status, stdout, stderr } = spawnSync(biome, ["lint", file], { cwd: tree, encoding: "utf8" });
  return { refused: status !== 0, output: stdout + stderr };
}

test.each([
  ["client", "@logstore/core"],
  ["client", "@logstore/server-grpc"],
  ["client", "../../core/src/index.js"],
  ["codec", "node:fs"],
  ["codec", "fs"],
  ["codec", "@logstore/protocol"],
  ["core", "@grpc/grpc-js"],
  ["core", "@logstore/client"],
  ["protocol", "@logstore/codec"],
  ["protocol", "@grpc/proto-loader"],
  ["server-grpc", "@logstore/client"],
  ["server-grpc", "../../core/dist/index.js"],
  ["engine-jetstream", "@logstore/client"],
  ["engine-jetstream", "../../core/src/engine.js"],
])("%s may not import %s", (packageName, imported) => {
  const { refused, output } = lint(packageName, imported);
  expect(refused, output).toBe(true);
  expect(output).toMatch(/noRestrictedImports|noNodejsModules/);
});

test.each([
  ["client", "@logstore/codec"],
  ["client", "@logstore/protocol"],
  ["core", "@logstore/codec"],
  ["server-grpc", "@logstore/core"],
])("%s may import %s", (packageName, imported) => {
  const { refused, output } = lint(packageName, imported);
  expect(refused, output).toBe(false);
});

/**
 * Returns the output of the check of circles and folders for core with these files and table rows.
 */
function checkArrows(files: Readonly<Record<string, string>>, rows: readonly string[]): string {
  const cwd = mkdtempSync(join(tmpdir(), "logstore-folders-"));
  try {
    mkdirSync(join(cwd, "docs"));
    writeFileSync(join(cwd, "docs/architecture.md"), rows.join("\n"));
    for (const [name, text] of Object.entries(files)) {
      const file = join(cwd, "packages/core/src", name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const { stderr } = spawnSync(process.execPath, [join(root, "scripts/arrows.mjs")], { cwd, encoding: "utf8" });
    return stderr;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

const typeOf = (path: string) => `import type { X } from "${path}";\n`;

test("files that import each other are found, types included", () => {
  const files = { "a/one.ts": typeOf("./two.js"), "a/two.ts": 'export { x } from "./three.js";\n', "a/three.ts": "" };
  const rows = ["| `a` | things | |"];
  expect(checkArrows(files, rows)).toBe("");
  const said = checkArrows({ ...files, "a/three.ts": 'await import("./one.js");\n' }, rows);
  expect(said).toMatch(/in a circle:\n.*a\/one\.ts imports a\/two\.ts/s);
});

test("folders that import each other are found, though no two of their files do", () => {
  const files = {
    "a/one.ts": typeOf("../b/two.js"),
    "b/two.ts": "",
    "b/three.ts": typeOf("../a/four.js"),
    "a/four.ts": "",
  };
  expect(checkArrows(files, ["| `a` | things | `b` |", "| `b` | things | `a` |"])).toMatch(
    /a imports b\n {2}b imports a/,
  );
});

test("core's folders import what the table says, no more and no less", () => {
  const files = { "a/one.ts": typeOf("../b/two.js"), "b/two.ts": "" };
  expect(checkArrows(files, ["| `a` | things | `b` |", "| `b` | things | |"])).toBe("");
  expect(checkArrows(files, ["| `a` | things | |", "| `b` | things | |"])).toMatch(
    /a imports b, and .* does not allow/,
  );
  expect(checkArrows(files, ["| `a` | things | `b` |", "| `b` | things | `a` |"])).toMatch(/`b` imports nothing of a/);
  expect(checkArrows(files, ["| `a` | things | `b` |"])).toMatch(/has no row for `b`/);
});

test("at run time core needs only codec: from protocol it imports types only", () => {
  const dist = `${root}packages/core/dist/`;
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const imported = files.flatMap((name) => [
    ...readFileSync(dist + name, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^."][^"]*)"/g),
  ]);
  const modules = new Set(imported.map((match) => match[1]!).filter((name) => !name.startsWith("node:")));
  expect([...modules]).toEqual(["@logstore/codec"]);
});
