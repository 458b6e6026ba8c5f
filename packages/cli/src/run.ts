/**
 * Runs a command line to its exit code. `--help` and `--version` load nothing but the definitions:
 * everything else is imported when it is needed.
 */
import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import type { Surroundings } from "./command/context.js";
import { UsageError } from "./errors/cli-error.js";
import { exitCodes } from "./errors/exit-codes.js";
import { coloured, hasColors, plain } from "./output/style.js";
import { commandNamed, makeProgram } from "./program.js";

export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr, environment } = surroundings;
  const columns = stdout.isTTY ? stdout.columns : Number(environment["COLUMNS"]);
  let exitCode: number = exitCodes.done;
  const program = makeProgram({
    version: version(),
    style: hasColors("auto", stdout.isTTY === true, environment) ? coloured : plain,
    width: columns > 0 ? columns : undefined,
    write: (text) => stdout.write(text),
    writeError: (text) => stderr.write(text),
    choose: async (chosen) => {
      const { runCommand } = await import("./run-command.js");
      exitCode = await runCommand(chosen, surroundings);
    },
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    const failure = commandLineError(error, () => commandNamed(program, args));
    if (failure === undefined) return exitCodes.done;
    const { reportError } = await import("./errors/report-error.js");
    const style = hasColors("auto", stderr.isTTY === true, environment) ? coloured : plain;
    return reportError(failure, { json: args.includes("--json"), style, stderr });
  }
  return exitCode;
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Returns undefined if the requested help or version was shown. */
function commandLineError(error: unknown, command: () => string): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) return undefined;
  if (error.code === "commander.help") return new UsageError("a command is missing: choose one of those above");
  const [message = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const hint = more.join(" ").replace(/^\((.*)\)$/, "$1");
  return new UsageError(message, { hint: hint || `${command()} --help shows what there is` });
}
