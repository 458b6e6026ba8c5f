/**
 * Every code block of the documentation is checked: programs are type-checked and run twice in a
 * row, the second time on the data of the first run; commands are run. A block that cannot be run
 * has a note before it, visible on the site, with the reason.
 */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "../homes.ts";
import { allBlocks, type Block, placeOf } from "./blocks.ts";
import { compile, isProgram, type Program } from "./programs.ts";
import { commandsIn, hasBash, runShell } from "./shell.ts";

/** Pages whose blocks are run by separate tests, which provide their environment. */
const RUN_ELSEWHERE: readonly (string | RegExp)[] = [
  "README.md", // readme.test.ts
  /^packages\/.*\/README\.md$/, // readme.test.ts, readme-fragments.test.ts, and the packages' own tests
  /^examples\/.*\/README\.md$/, // quickstart.test.ts, embedded-examples.test.ts
  "docs/fault-finding.md", // packages/cli/test/fault-finding.test.ts
  "docs/operations.md", // operations.test.ts
  "docs/protocol.md", // protocol-page.test.ts, buf-curl.test.ts
  "CONTRIBUTING.md", // .ci/run and the workflows
  "benchmarks/README.md",
  "site/README.md",
];

interface Outcome {
  readonly first?: readonly string[];
  readonly second?: readonly string[];
  readonly error?: string;
  readonly printed?: readonly string[];
}

const blocks = allBlocks();
const runnable = (block: Block) =>
  block.notRun === undefined &&
  !RUN_ELSEWHERE.some((page) => (typeof page === "string" ? page === block.page : page.test(block.page)));
/** Pages whose TypeScript needs a compiler with other options: decorators. */
const CHECKED_ELSEWHERE = ["packages/nestjs/README.md"]; // packages/nestjs/src/readme.test.ts

/** A page whose JavaScript is run elsewhere may have fragments of programs. */
const programs = blocks.filter(
  (block) =>
    isProgram(block) && (block.language === "ts" || runnable(block)) && !CHECKED_ELSEWHERE.includes(block.page),
);
const run = programs.filter(runnable);
const commands = blocks.filter((block) => block.language === "sh" && runnable(block));

let directory: string;
let compiled: Program[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => removeDirectory(directory));

test("there are blocks of each kind", () => {
  expect(programs.length).toBeGreaterThan(run.length);
  expect(run.length).toBeGreaterThan(1);
});

test("a note that a block is not run stands before a block, and says why", () => {
  for (const block of blocks) if (block.notRun !== undefined) expect(block.notRun, placeOf(block)).toMatch(/\w+ \w+/);
});

test("programs have no type errors", () => {
  compiled = compile(programs);
});

describe("programs", () => {
  let outcomes: Outcome[] = [];

  beforeAll(async () => {
    if (compiled.length === 0) return;
    const modules = run.map((block) => compiled.find((program) => program.block === block)!.module);
    const file = join(directory, "programs.json");
    const home = join(directory, "programs");
    mkdirSync(home);
    writeFileSync(file, JSON.stringify({ directory: home, modules }));
    const runner = fileURLToPath(new URL("run.mjs", import.meta.url));
    const running = promisify(execFile)(process.execPath, [runner, file], { timeout: 280_000, maxBuffer: 2 ** 24 });
    const { stdout } = await running.catch((error) => error as { stdout: string });
    outcomes = stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Outcome]));
  });

  test.each(run.map((block, index) => ({ place: placeOf(block), block, index })))("$place", ({ block, index }) => {
    const { first, second, error, printed } = outcomes[index] ?? { error: "it was not run" };
    expect(error, printed?.join("\n")).toBeUndefined();
    if (block.output !== undefined) expect(first?.join("\n")).toBe(block.output);
    expect(second).toBeDefined();
  });
});

describe.runIf(hasBash)("commands", () => {
  let bin: string;

  beforeAll(() => {
    bin = commandsIn(directory);
  });

  test.each(commands.map((block) => ({ place: placeOf(block), block })))("$place", ({ block }) => {
    const home = join(directory, placeOf(block).replaceAll(/\W/g, "-"));
    mkdirSync(home);
    for (let time = 1; time <= 2; time++) {
      const printed = runShell(block, home, bin).trimEnd();
      if (block.output !== undefined && time === 1) expect(printed).toBe(block.output);
    }
  });
});
