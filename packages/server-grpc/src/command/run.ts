/** Runs the command `logstore-server`, from its arguments to its exit code. */
import { LogStoreError } from "@logstore/codec";
import { checkServeOptions } from "../server.js";
import { help, parseCommandLine } from "./command-line.js";
import { loadConfig } from "./config.js";
import { askHealth } from "./health.js";
import { printable } from "./printable.js";
import { serveOptions } from "./serve-options.js";
import { serveUntilStopped } from "./serve-until-stopped.js";
import type { Surroundings } from "./surroundings.js";
import { newToken, tokenEntry } from "./token.js";
import { UsageError } from "./usage-error.js";
import { version } from "./version.js";

/**
 * Returns the exit code: 0 after a clean stop or for a healthy server, 1 if it could not start or
 * stop or the server is not healthy, 2 for an invalid command line or configuration.
 */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, printError } = surroundings;
  const [name, ...rest] = args;
  try {
    if (name === "new-token") print(newToken(onlyOne(rest)));
    else if (name === "hash-token") print(tokenEntry(await surroundings.readInput(), onlyOne(rest)));
    else if (name === "health") return await health(rest, surroundings);
    else return await serveOrExplain(args, surroundings);
    return 0;
  } catch (error) {
    for (const line of describe(error)) printError(`logstore-server: ${printable(line)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function serveOrExplain(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const commandLine = parseCommandLine(args);
  if (typeof commandLine === "string") {
    surroundings.print(explained(commandLine));
    return 0;
  }
  const configuration = await loadConfig(commandLine, surroundings.environment);
  if (!commandLine.check) return serveUntilStopped(commandLine, configuration, surroundings);
  await checkServeOptions(serveOptions(configuration.config));
  for (const warning of configuration.warnings) surroundings.printError(`logstore-server: ${warning}`);
  surroundings.print("the configuration makes sense");
  return 0;
}

/** `args` may begin with the name of the service; the flags identify the server. */
async function health(args: readonly string[], { environment, print }: Surroundings): Promise<number> {
  const service = args[0]?.startsWith("-") ? undefined : args[0];
  const commandLine = parseCommandLine(service === undefined ? args : args.slice(1));
  if (typeof commandLine === "string") {
    print(explained(commandLine));
    return 0;
  }
  // The health check does not need the data directory.
  const { config } = await loadConfig(commandLine, { LOGSTORE_DATA: "-", ...environment });
  const status = await askHealth(config, service ?? "", environment["LOGSTORE_TOKEN"]);
  print(status);
  return status === "SERVING" ? 0 : 1;
}

function explained(what: "help" | "version"): string {
  return what === "help" ? help() : version;
}

function onlyOne([principal, ...more]: readonly string[]): string | undefined {
  if (more.length > 0 || principal?.startsWith("-")) throw new UsageError("one principal is named, or none");
  return principal;
}

/**
 * One line per problem. System errors have a code, too (EADDRINUSE), but their message contains it
 * already.
 */
function describe(error: unknown): readonly string[] {
  if (error instanceof UsageError) return error.problems;
  const text = error instanceof LogStoreError ? `${error.code}: ${error.message}` : messageOf(error);
  return [text.replaceAll(/\s+/g, " ")];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
