/**
 * Each example of the README runs twice in a row. The examples in the commands' help are complete
 * command lines.
 */
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import type { CommandDefinition } from "../src/definitions/definition.js";
import { commands } from "../src/definitions/index.js";
import { plain } from "../src/output/style.js";
import { makeProgram } from "../src/program.js";
import { logstore } from "./command.js";
import { serveBroker } from "./served-broker.js";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const lines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.trimEnd().split("\n"));

/** Splits a shell command line into words, as far as the examples need it. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"),
  );
}

const commandsOf = (line: string) => line.split(/\s+(?:\||&&|;)\s+/);

/** Runs a pipeline of `echo`, `head` and `logstore`. Returns the output of its last command. */
async function runLine(line: string, env: Readonly<Record<string, string>>): Promise<string> {
  let output = "";
  for (const command of commandsOf(line)) {
    const [name, ...args] = words(command.replace("npx @logstore/cli", "logstore"));
    if (name === "echo") output = `${args.join(" ")}\n`;
    else if (name === "head") output = output.slice(0, output.indexOf("\n") + 1);
    else {
      expect(name).toBe("logstore");
      const { stdout, stderr, code } = await logstore(args, { env, input: output });
      expect({ command, stderr, code }).toMatchObject({ code: 0 });
      output = stdout;
    }
  }
  return output;
}

test("the README's examples run, twice in a row", async () => {
  const served = await serveBroker();
  onTestFinished(() => served.close());
  const env = { LOGSTORE_SERVER: served.address };
  expect(lines.length).toBeGreaterThan(8);
  for (let i = 1; i <= 2; i++) {
    const outputs: string[] = [];
    for (const line of lines) outputs.push(await runLine(line.replace("localhost:7411", served.address), env));
    expect(outputs.join("")).toContain("1 record, 32 B, appended to orders");
    expect((await served.broker.describeTopic("archive")).partitions[0]).toMatchObject({
      highWatermark: (i * (i + 1)) / 2,
    });
  }
});

/** Commands with their full names, subcommands included. */
function allCommands(
  definitions: readonly CommandDefinition[],
  parents: readonly string[] = [],
): { readonly name: string; readonly definition: CommandDefinition }[] {
  return definitions.flatMap((definition) => {
    const path = [...parents, definition.name];
    return [{ name: path.join(" "), definition }, ...allCommands(definition.commands ?? [], path)];
  });
}

const examples = allCommands(commands)
  .filter(({ name }) => name !== "serve") // it has the options of logstore-server
  .flatMap(({ name, definition }) => (definition.examples ?? []).map(({ line }) => ({ name, line })));

test.each(examples)("an example of logstore $name is a command line: $line", async ({ name, line }) => {
  const calls = commandsOf(line).flatMap((command) => /logstore [^)]*/.exec(command)?.[0] ?? []);
  expect(calls.some((call) => `${call} `.startsWith(`logstore ${name} `))).toBe(true);
  for (const call of calls) {
    const chosen: unknown[] = [];
    const program = makeProgram({
      version: "0",
      style: plain,
      width: undefined,
      write: () => {},
      writeError: () => {},
      choose: async (each) => void chosen.push(each),
    });
    const args = words(call.replace(/\s+\d?[<>].*$/, "")).slice(1);
    await program.parseAsync(args, { from: "user" });
    expect(chosen).toHaveLength(1);
  }
});
