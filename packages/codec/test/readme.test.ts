import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = new URL("../", import.meta.url);

test("the README's example prints what the README shows", () => {
  const readme = readFileSync(new URL("README.md", root), "utf8");
  const [, code = "", output = ""] = /```js\n([\s\S]*?)```\n\n```\n([\s\S]*?)```/.exec(readme) ?? [];
  const run = ["--input-type=module", "--eval", code];
  expect(code).toContain("@logstore/codec");
  for (let i = 0; i < 2; i++) {
    expect(execFileSync(process.execPath, run, { cwd: fileURLToPath(root), encoding: "utf8" })).toBe(output);
  }
});
