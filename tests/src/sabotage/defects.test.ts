/**
 * Every entry of the sabotage list applies to the current code. `pnpm sabotage` checks whether the
 * tests detect it.
 */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { allDefects } from "./defects/all.ts";
import { occurrences } from "./workshop.ts";

test("the text that an entry replaces occurs exactly once", () => {
  const counts = allDefects.map(({ file, name, find }) => ({
    entry: `${file}: ${name}`,
    count: occurrences(file, find),
  }));
  expect(counts.length).toBeGreaterThan(400);
  expect(counts.filter(({ count }) => count !== 1)).toEqual([]);
});

test("each entry changes something, and names existing tests or scenarios", () => {
  for (const { file, name, package: owner, find, replace, catchers, scenarios = [] } of allDefects) {
    expect(replace, `${file}: ${name}`).not.toBe(find);
    expect(catchers.length + scenarios.length, `${file}: ${name}`).toBeGreaterThan(0);
    for (const catcher of catchers) {
      const path = new URL(`../../../packages/${owner}/${catcher}`, import.meta.url);
      expect(existsSync(path), `${file}: ${name}: ${catcher}`).toBe(true);
    }
  }
});

test("no two entries of a file have the same name", () => {
  const names = allDefects.map(({ file, name }) => `${file}: ${name}`);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});
