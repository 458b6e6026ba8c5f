/**
 * The examples of README.md and of the packages' READMEs, run as printed except for the locations
 * of data and servers. So are the README's commands of the command line. Each runs twice in a row,
 * the second time on the data of the first.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const command = fileURLToPath(new URL("../../packages/cli/dist/bin.cjs", import.meta.url));
const examples = examplesOf("README.md");
const here = fileURLToPath(new URL("..", import.meta.url)); // the packages are resolved from here

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

afterEach(() => removeDirectory(directory));

function examplesOf(page: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), "utf8");
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);
}

function run(example: string): string[] {
  const args = ["--input-type=module-typescript", "--eval", example];
  return execFileSync(process.execPath, args, { cwd: here, encoding: "utf8", timeout: 280_000 }).trimEnd().split("\n");
}

/** The calls of `logstore` in the README, without their comments. */
function commandLines(): string[][] {
  const [, block] = /```sh\n(npm install --global @logstore\/cli\n[\s\S]*?)```/.exec(readme)!;
  const lines = block!.split("\n").map((line) => line.replace(/ *#.*/, "").split(" "));
  return lines.filter(([name]) => name === "logstore").map(([, ...args]) => args);
}

/** Answers the question of a reset, which needs a terminal, by its flag. */
function logstore(args: string[], address: string): string {
  const all = args.includes("reset") ? [...args, "--yes"] : args;
  const env = { ...process.env, LOGSTORE_SERVER: address };
  return execFileSync(process.execPath, [command, ...all], { encoding: "utf8", env, timeout: 280_000 });
}

function replaced(example: string | undefined, what: string, by: string): string {
  expect(example).toContain(what);
  return example!.replace(what, by);
}

test("there are three examples", () => expect(examples).toHaveLength(3));

test("embedded", () => {
  const example = replaced(examples[0], '"logs/"', JSON.stringify(directory));
  expect(run(example)).toEqual(["0 Hello World!", "1 again", "2 and again"]);
  expect(run(example)).toEqual(["3 Hello World!", "4 again", "5 and again"]);
});

test("of the client", async () => {
  const [first, inParallel, parked, assigned] = examplesOf("packages/client/README.md");
  const server = await ServerProcess.start(directory);
  try {
    const once = replaced(first, "console.log(offset, value.delay);", "console.log(offset, value.delay); break;");
    const program = `${replaced(once, "localhost:7411", server.address)}; await client.close();`;
    expect(run(program)).toEqual(["0 flushed", "0 12"]);
    expect(run(program)).toEqual(["1 flushed", "0 12"]); // the record being processed when a loop is left is delivered again

    const client = `import { connect, json } from "@logstore/client"; const client = connect("${server.address}");`;
    const member = `const consumer = client.consumer({ group: "delays", topics: ["flights"], value: json() });
      const charge = ({ delay }) => { console.log("charged", delay); if (++charged === 2) void client.close(); };
      let charged = 0;`;
    expect(run(`${client} ${member} ${inParallel}`)).toEqual(["charged 12", "charged 12"]);
    for (let i = 0; i < 2; i++) {
      expect(run(`${client} ${parked} console.log("replayed"); await client.close();`)).toEqual(["replayed"]);
    }
    const yesterday = "const yesterday = Date.now() - 86_400_000;";
    const reading = replaced(assigned, "[0, 1]", "[0, 1, 2, 3, 4, 5, 6, 7]");
    for (let i = 0; i < 2; i++) {
      const lines = run(`${client} ${yesterday} ${reading} await client.close();`);
      expect(lines.map((line) => line.split(" ")[1])).toEqual(["0", "1"]);
    }
  } finally {
    await server.stop();
  }
});

test("of the server", () => {
  const [example] = examplesOf("packages/server-grpc/README.md");
  const here = replaced(replaced(example, '"./data"', JSON.stringify(directory)), "port: 7411", "port: 0");
  for (let i = 0; i < 2; i++) {
    const lines = run(`${here} process.kill(process.pid, "SIGTERM");`);
    expect(lines).toEqual([expect.stringMatching(/^listening on 127\.0\.0\.1:\d+$/)]);
  }
});

test("of the protocol", () => {
  const [example] = examplesOf("packages/protocol/README.md");
  for (let i = 0; i < 2; i++) expect(run(example!)).toEqual(["5"]);
});

test("served", async () => {
  const server = await ServerProcess.start(directory);
  try {
    const served = replaced(examples[1], "localhost:7411", server.address);
    // The member goes on until Ctrl-C.
    const printed = "console.log(partition, offset, value.amount);";
    const interrupted = `{ ${printed} if (offset === last) process.kill(process.pid, "SIGINT"); }`;
    const billing = replaced(replaced(examples[2], "localhost:7411", server.address), printed, interrupted);
    expect(run(served)).toEqual(["1 0 flushed", "1 0 3"]);
    expect(run(`const last = 0; ${billing}`)).toEqual(["1 0 3"]);
    expect(run(served)).toEqual(["1 1 flushed", "1 0 3", "1 1 3"]);
    expect(run(`const last = 1; ${billing}`)).toEqual(["1 1 3"]); // it goes on where it was
    for (let i = 0; i < 2; i++) {
      const [read, described, reset, ...others] = commandLines().map((line) => logstore(line, server.address));
      expect(
        read!
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line).offset),
      ).toEqual([0, 1]);
      expect(described).toContain("billing");
      expect(reset).toMatch(/orders +1 .* 0/);
      expect(others.map((output) => output.includes("orders") || output.includes("Usage:"))).toEqual([true, true]);
    }
  } finally {
    await server.stop();
  }
});
