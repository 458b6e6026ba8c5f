/** The examples that embed core, as a stranger runs them. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

function run(packageFile: string): string[] {
  const main = fileURLToPath(new URL("src/main.ts", packageFile));
  const { status, stdout, stderr } = spawnSync(process.execPath, [main], { encoding: "utf8", timeout: 110_000 });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.trimEnd().split("\n");
}

test("commit log: what was acknowledged before the kill is there, and the table is whole in the end", () => {
  const lines = run(import.meta.resolve("@logstore/example-commit-log/package.json"));
  expect(lines[0]).toBe("writer ended by SIGKILL: 250 prices were acknowledged");
  expect(lines[1]).toMatch(/^opened again: checkpoint at offset 200, 5[01] changes replayed$/);
  expect(lines[2]).toBe("acknowledged and lost: 0");
  // Facts of the data: the last line of each share in the file itself.
  expect(lines.slice(3, -1).toSorted()).toEqual([
    "AAPL 2010-03-01  $223.02",
    "AMZN 2010-03-01  $128.82",
    "GOOG 2010-03-01  $560.19",
    "IBM  2010-03-01  $125.55",
    "MSFT 2010-03-01  $28.8",
  ]);
  expect(lines.at(-1)).toBe("the table is what 560 of 560 prices add up to");
});

test("event sourcing: two desks race, and no gate is given away twice", () => {
  const lines = run(import.meta.resolve("@logstore/example-event-sourcing/package.json"));
  const [conflicts = 0, changed = 0] = (/^(\d+) times .*; (\d+) times/.exec(lines[0]!) ?? []).slice(1).map(Number);
  expect(conflicts).toBeGreaterThan(0);
  expect(changed).toBeGreaterThan(0);
  // Facts of the data.
  expect(lines.slice(1, -1).map((line) => line.replace(/ at .*/, ""))).toEqual([
    "ATL: 288 flights",
    "DFW: 358 flights",
    "ORD: 366 flights",
  ]);
  expect(lines.at(-1)).toBe("1012 of 1012 flights have a gate, 0 of them one that was taken");
});
