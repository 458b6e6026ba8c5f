/** The example of `npm start`, run as a new user would. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { NOW_TRY } from "../../examples/quickstart/src/now-try.ts";
import { manifest } from "./packed.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

const main = fileURLToPath(new URL("src/main.ts", import.meta.resolve("@logstore/example-quickstart/package.json")));
const seed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 1e9));

function quickstart(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    timeout: 290_000,
  });
  return { status, lines: stdout.trimEnd().split("\n"), stderr };
}

/** Whether `script` of util-linux is installed, which runs a command in a terminal. */
const hasTerminal = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
if (!hasTerminal) console.log("skipped: the live view (script of util-linux is not installed)");

/** Runs the example in a terminal if `script` is installed, otherwise without one. */
function atTerminal(...args: string[]) {
  if (!hasTerminal) return quickstart(...args);
  const command = [process.execPath, main, ...args].map((word) => `'${word}'`).join(" ");
  const { status, stdout } = spawnSync("script", ["-qec", `stty cols 100 rows 50; ${command}`, "/dev/null"], {
    encoding: "utf8",
    timeout: 290_000,
    maxBuffer: Number.POSITIVE_INFINITY, // the output contains every frame
  });
  return { status, lines: stripVTControlCharacters(stdout).replaceAll("\r", "").trimEnd().split("\n") };
}

/** Checks that a member was killed and that each of its partitions has another owner at the end. */
function expectTakenOver(lines: string[]): void {
  const killed = lines.find((line) => line.startsWith("member 1 killed half-way, its partitions taken over: "));
  const orphaned = killed?.split(": ")[1]?.split(", ") ?? [];
  expect([3, 4]).toContain(orphaned.length);
  for (const partition of orphaned) {
    const row = lines.find((line) => line.startsWith(`│ ${partition} `) && line.includes("member"));
    expect(row).toMatch(/'member 1'\s*│ 'member [02]'/);
  }
  expect(lines.join("\n")).toMatch(/^delivered again: [\d,]+ flights$/m);
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

test("also when the server is killed at random moments while they are produced; at a terminal, with bars", () => {
  const { status, lines } = atTerminal("--crashes", "4", "--seed", String(seed));
  const text = lines.join("\n");
  expect(text, `KILL_SEED=${seed}`).toMatch(/^consumed 20000 of 20000 records in order$/m);
  expect(status).toBe(0);
  const restarts = Number(/^server killed and started again: (\d+) times$/m.exec(text)?.[1]);
  expect(restarts).toBeGreaterThanOrEqual(2);
  if (!hasTerminal) return;
  expect(text).toMatch(/^ +✗ the server is killed after [\d,]+ flights, and started again$/m);
  expect(text).toMatch(/^ +✗ member 1 is killed after [\d,]+ flights \(kill -9\)$/m);
  // On a busy machine the group may not be whole yet after a restart of the server.
  const before = text
    .slice(0, text.search(/^ +✗ member 1 is killed/m))
    .split("\n")
    .slice(-20);
  if (before.some((line) => / of .* member 1$/.test(line)))
    expect(text).toMatch(/^ +↻ member [02] takes over partitions? [\d, ]+, [\d.]+ s later$/m);
  expect(text).toMatch(/^ +6 █+ +3,467 of 3,467 +member/m); // a fact of the data
  expect(text).not.toContain("Warning");
});

test("what it suggests to try is there", () => {
  const { packageManager, scripts } = manifest(root);
  for (const { command } of NOW_TRY) {
    const [, directory, script] = /^npx --yes (pnpm@[\d.]+) --silent -C (\S+) start$|^npm (?:run --silent )?(\S+) -- /
      .exec(command)!
      .slice(1);
    if (directory === undefined) expect(scripts).toHaveProperty(script!);
    else expect(manifest(join(root, directory)).scripts).toHaveProperty("start");
    if (directory !== undefined) expect(command).toContain(packageManager);
  }
  const { status, stdout } = spawnSync("npm", ["run", "--silent", "logstore", "--", "dev", "--help"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stdout).toMatch(/^Usage: logstore dev/);
  expect(status).toBe(0);
});
