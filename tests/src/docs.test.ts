/** Documents tell the truth about the tree: every link leads somewhere. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = globSync("{*.md,docs/**/*.md,packages/*/*.md,examples/*/*.md,benchmarks/*.md}", { cwd: root });

test.each(pages)("links of %s", (page) => {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/```[\s\S]*?```/g, "");
  const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
  const local = targets.filter((target) => !/^[a-z]+:/.test(target));
  const dead = local.filter((target) => !existsSync(join(root, dirname(page), target)));
  expect(dead).toEqual([]);
});
