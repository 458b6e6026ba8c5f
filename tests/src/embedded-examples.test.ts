/** The examples that need one process, run as a new user would: twice in a row. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

async function run(packageFile: string): Promise<string[]> {
  const main = fileURLToPath(new URL("src/main.ts", packageFile));
  let last = "";
  for (let i = 0; i < 2; i++) {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main], { timeout: 280_000 });
    expect(stderr).toBe("");
    last = stdout;
  }
  return last.trimEnd().split("\n");
}

// Each example is a separate process.
describe.concurrent("examples", () => {
  test("commit log: what was acknowledged before the kill is there, and the table is complete in the end", async () => {
    const lines = await run(import.meta.resolve("@logstore/example-commit-log/package.json"));
    expect(lines[0]).toBe("writer ended by SIGKILL: 250 prices were acknowledged");
    expect(lines[1]).toMatch(/^opened again: checkpoint at offset 200, 5[01] changes replayed$/);
    expect(lines[2]).toBe("acknowledged and lost: 0");
    // Facts of the data: the last line of each share in the file.
    expect(lines.slice(3, -1).toSorted()).toEqual([
      "AAPL 2010-03-01  $223.02",
      "AMZN 2010-03-01  $128.82",
      "GOOG 2010-03-01  $560.19",
      "IBM  2010-03-01  $125.55",
      "MSFT 2010-03-01  $28.8",
    ]);
    expect(lines.at(-1)).toBe("the table is what 560 of 560 prices add up to");
  });

  test("event sourcing: two desks compete, and no gate is assigned twice", async () => {
    const lines = await run(import.meta.resolve("@logstore/example-event-sourcing/package.json"));
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

  test("message queue: failing records are parked without blocking others, and replayed when the workers are fixed", async () => {
    const lines = await run(import.meta.resolve("@logstore/example-message-queue/package.json"));
    expect(lines[0]).toBe("queued: 3201 movies");
    const retries = Number(/^published: 3191; tries that were repeated: (\d+); out of order: 0$/.exec(lines[1]!)?.[1]);
    expect(retries).toBeGreaterThanOrEqual(40); // four for each parked record, and those caused by the site
    // Facts of the data: titles that are numbers, and one that is missing.
    const titles = lines.flatMap((line) => /^parked: (.+) \(.*, 5 tries: /.exec(line)?.[1] ?? []);
    expect(titles.toSorted()).toEqual(["1408", "1776", "1941", "2012", "2046", "21", "300", "54", "9", "null"]);
    expect(lines.at(-2)).toBe("mended, and replayed: 10");
    expect(lines.at(-1)).toBe("published 3201 of 3201 movies");
  });

  test("web logs: the group's counts equal those of the visitors, although a member joins", async () => {
    const lines = await run(import.meta.resolve("@logstore/example-web-logs/package.json"));
    expect(lines.at(-2)).toBe("partitions of each member: 3 + 3 + 2");
    const paths = ["/", "/primes", "/report", "/quotient", "/gone"];
    for (const path of paths) expect(lines.some((line) => line.startsWith(`│ ${path} `))).toBe(true);
    expect(lines.at(-1)).toBe("counted 4000 of 4000 requests by path and status, 0 of the counts wrong");
  });
});
