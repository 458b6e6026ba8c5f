/** The example of `npm start`, run as a new user would. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("src/main.ts", import.meta.resolve("@logstore/example-quickstart/package.json")));
const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 1e9));

function quickstart(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    timeout: 290_000,
  });
  return { status, lines: stdout.trimEnd().split("\n"), stderr };
}

/** A member was killed, and in the end each of its partitions has another owner. */
function expectTakenOver(lines: string[]): void {
  const killed = lines.find((line) => line.startsWith("member 1 killed half-way, its partitions taken over: "));
  const orphaned = killed?.split(": ")[1]?.split(", ") ?? [];
  expect([3, 4]).toContain(orphaned.length);
  for (const partition of orphaned) {
    const row = lines.find((line) => line.startsWith(`│ ${partition} `) && line.includes("member"));
    expect(row).toMatch(/'member 1'\s*│ 'member [02]'/);
  }
  expect(lines.join("\n")).toMatch(/^delivered again: \d+ flights$/m);
}

test("20,000 flights go through the server and arrive in order, although a member of the group dies", () => {
  const { status, lines, stderr } = quickstart();
  expect(stderr).toBe("");
  expect(lines.at(-1)).toBe("consumed 20000 of 20000 records in order");
  expect(status).toBe(0);
  expectTakenOver(lines);
  // Facts of the data, computed from the file itself.
  expect(lines.join("\n")).toMatch(/'JFK'\s*│\s*200\s*│\s*16\.2/);
});

test("also when the server is killed at random moments while they are produced", () => {
  const { status, lines, stderr } = quickstart("--crashes", "4", "--seed", String(seed));
  // Clients warn that the server was down, and print nothing else.
  const others = stderr.split("\n").filter((line) => !/LogStoreWarning|--trace-warnings/.test(line));
  expect(others.join("\n"), `KILL_SEED=${seed}`).toBe("");
  expect(lines.at(-1), `KILL_SEED=${seed}`).toBe("consumed 20000 of 20000 records in order");
  expect(status).toBe(0);
  expectTakenOver(lines);
  const restarts = Number(/^server killed and started again: (\d+) times$/m.exec(lines.join("\n"))?.[1]);
  expect(restarts).toBeGreaterThanOrEqual(2);
});
