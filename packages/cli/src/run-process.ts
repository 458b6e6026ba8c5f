/** Runs the command in this process: its arguments, its streams, its exit code. */
import { hearInterrupts } from "./interrupts.js";
import { run } from "./run.js";

/**
 * After the command has ended, pending work such as closing a connection keeps the process alive
 * for at most this time, in ms.
 */
const EXIT_GRACE_MS = 500;

export async function runProcess(): Promise<void> {
  const { stdin, stdout, stderr, env: environment } = process;
  const signal = hearInterrupts(process);
  process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, environment, signal });
  await flushed(stdout);
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return;
  await new Promise<void>((resolve) => stream.write("", () => resolve()));
}
