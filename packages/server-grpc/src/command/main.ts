/** Runs the command in a process: its arguments, streams and exit code. */
import { text } from "node:stream/consumers";
import { setFlagsFromString } from "node:v8";
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { keepFreedMemory } from "./keep-freed-memory.js";
import { openBroker } from "./open-broker.js";
import { run } from "./run.js";
import type { Surroundings } from "./surroundings.js";

/**
 * After the command has ended, pending work such as a write to a pipe that nobody reads keeps the
 * process alive for at most this time, in ms.
 */
const EXIT_GRACE_MS = 1_000;

export async function main(
  v8Flags: readonly string[],
  signals: Pick<Surroundings, "stopping" | "onReload">,
): Promise<void> {
  for (const flag of v8Flags) setFlagsFromString(flag);
  keepFreedMemory();
  // grpc-js logs peer input verbatim, past our log and its rate limit: a peer could write anything
  // there, and fill it.
  setLogVerbosity(logVerbosity.NONE);

  process.exitCode = await run(process.argv.slice(2), {
    ...signals,
    environment: process.env,
    openBroker,
    print: (line) => console.log(line),
    printError: (line) => console.error(line),
    readInput: () => text(process.stdin),
  });
  // biome-ignore lint/style/noRestrictedGlobals: a short, constant delay
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
}
