/**
 * Runs the command in a process: its arguments, its streams, its exit code. `--help` and
 * `--version` load nothing but the definitions: everything else is imported when it is needed.
 */
import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { UsageError } from "./errors/cli-error.js";
import { hearInterrupts } from "./interrupts.js";
import { coloured, hasColors, plain } from "./output/style.js";
import { makeProgram } from "./program.js";

/**
 * After the command has ended, what may be pending keeps the process alive for at most this time,
 * ms, such as a connection that is being closed.
 */
const EXIT_GRACE_MS = 500;

export async function runProcess(): Promise<void> {
  const args = process.argv.slice(2);
  const interrupts = hearInterrupts(process);
  const colors = hasColors("auto", process.stdout.isTTY === true, process.env);
  const columns = process.stdout.isTTY ? process.stdout.columns : Number(process.env["COLUMNS"]);
  const program = makeProgram({
    version: version(),
    style: colors ? coloured : plain,
    width: columns > 0 ? columns : undefined,
    choose: async (chosen) => {
      const { runCommand } = await import("./run-command.js");
      process.exitCode = await runCommand(chosen, interrupts);
    },
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    const failure = commandLineError(error);
    if (failure !== undefined) {
      const { reportError } = await import("./errors/report-error.js");
      process.exitCode = reportError(failure, { json: args.includes("--json") });
    }
  }
  await flushed(process.stdout);
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Undefined where the help or the version was shown, as was asked for. */
function commandLineError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0) return undefined;
  if (error.code === "commander.help") return new UsageError("a command is missing: choose one of those above");
  const [message = "", ...more] = error.message.replace(/^error: /, "").split("\n");
  const hint = more.join(" ").replace(/^\((.*)\)$/, "$1");
  return new UsageError(message, { hint: hint || "logstore --help shows what there is" });
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return;
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
