/** The examples of README.md, run as they are printed but for the places where they keep and find things. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);
const here = fileURLToPath(new URL("..", import.meta.url)); // the packages are found from here

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

afterEach(() => removeDirectory(directory));

function run(example: string): string[] {
  const args = ["--input-type=module-typescript", "--eval", example];
  return execFileSync(process.execPath, args, { cwd: here, encoding: "utf8", timeout: 60_000 }).trimEnd().split("\n");
}

function replaced(example: string | undefined, what: string, by: string): string {
  expect(example).toContain(what);
  return example!.replace(what, by);
}

test("there are three examples", () => expect(examples).toHaveLength(3));

test("the embedded one", () => {
  const example = replaced(examples[0], '"logs/"', JSON.stringify(directory));
  expect(run(example)).toEqual(["0 Hello World!", "1 again", "2 and again"]);
});

test("the client's own", async () => {
  const page = readFileSync(new URL("../../packages/client/README.md", import.meta.url), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(page)?.[1];
  const server = await ServerProcess.start(directory);
  try {
    const once = replaced(example, "console.log(offset, value.delay);", "console.log(offset, value.delay); break;");
    expect(run(`${replaced(once, "localhost:7411", server.address)}; await client.close();`)).toEqual([
      "0 flushed",
      "0 12",
    ]);
  } finally {
    await server.stop();
  }
});

test("the served ones", async () => {
  const server = await ServerProcess.start(directory);
  try {
    const served = replaced(examples[1], "localhost:7411", server.address);
    const bill = 'const bill = (key, amount) => console.log("bill", new TextDecoder().decode(key), amount);';
    const billing = replaced(
      examples[2],
      "await bill(key, value.amount);",
      "{ await bill(key, value.amount); break; }",
    );
    const together = [served.replace("await client.close();", ""), bill, billing, "await client.close();"].join("\n");
    expect(run(together)).toEqual(["0 3", "bill customer-7 3"]);
  } finally {
    await server.stop();
  }
});
