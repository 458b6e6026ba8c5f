/** Who may import whom: the lint refuses every arrow that the design does not have. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const biome = fileURLToPath(new URL("node_modules/.bin/biome", `file://${root}`));
let written: string | undefined;

afterEach(() => {
  if (written) rmSync(written, { force: true });
});

/** What the lint says of a file in a package that imports a module. */
function lint(packageName: string, imported: string): { refused: boolean; output: string } {
  written = `${root}packages/${packageName}/src/arrow-under-test.ts`;
  writeFileSync(written, `import * as imported from "${imported}";\n\nexport const used = imported;\n`);
  const { status, stdout, stderr } = spawnSync(biome, ["lint", written], { cwd: root, encoding: "utf8" });
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
  ["server-grpc", "@logstore/client"],
  ["server-grpc", "../../core/dist/index.js"],
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

test("core needs nothing but codec when it runs: of protocol it takes types only", () => {
  const dist = `${root}packages/core/dist/`;
  const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  const imported = files.flatMap((name) => [
    ...readFileSync(dist + name, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^."][^"]*)"/g),
  ]);
  const modules = new Set(imported.map((match) => match[1]!).filter((name) => !name.startsWith("node:")));
  expect([...modules]).toEqual(["@logstore/codec"]);
});
