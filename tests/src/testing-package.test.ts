/**
 * The examples of the README of @logstore/testing, run as printed, each twice in a row; the first
 * one under node:test and under vitest.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeDirectory } from "./homes.ts";

const page = readFileSync(new URL("README.md", import.meta.resolve("@logstore/testing/package.json")), "utf8");
const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);

let directory: string;

beforeAll(() => {
  // The packages are resolved from here.
  directory = mkdtempSync(fileURLToPath(new URL("../testing-readme-", import.meta.url)));
});

afterAll(() => removeDirectory(directory));

function run(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: directory, encoding: "utf8", timeout: 280_000 });
}

/** In one process, since the packages take longer to load than an example to run. */
function runTwice(name: string, example: string): string {
  writeFileSync(join(directory, name), example);
  return run("--input-type=module", "--eval", `await import("./${name}?1"); await import("./${name}?2");`);
}

test("there are four examples", () => expect(examples).toHaveLength(4));

test("the first test, under node:test", () => {
  expect(runTwice("node.ts", examples[0]!)).toMatch(/pass 2$[\s\S]*fail 0$/m);
});

test("the first test, under vitest", () => {
  const example = examples[0]!.replace('"node:test"', '"vitest"');
  for (let i = 0; i < 2; i++) writeFileSync(join(directory, `${i}.test.ts`), example);
  const vitest = fileURLToPath(new URL("vitest.mjs", import.meta.resolve("vitest/package.json")));
  const options = ["--root", ".", "--no-color", "--no-file-parallelism"];
  expect(run(vitest, "run", ...options)).toMatch(/Tests +2 passed/);
});

test.each(Array.from(examples.entries()).slice(1))("example %i prints what its comments say", (i, example) => {
  const printed = [...example.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => `${match[1]}\n`).join("");
  expect(printed).not.toBe("");
  expect(runTwice(`${i}.ts`, example)).toBe(printed.repeat(2));
});
