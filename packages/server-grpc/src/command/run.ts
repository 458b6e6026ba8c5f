/** The life of the command `logstore-server`, from its arguments to its exit code. */
import { LogStoreError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { serve } from "../server.js";
import { help, parseCommandLine, type ServerCommand, UsageError } from "./command-line.js";

/** What the command needs of the world. */
export interface Surroundings {
  openBroker(command: ServerCommand): Promise<LogApi & { close(): Promise<void> }>;
  print(line: string): void;
  printError(line: string): void;
  /** Resolves when the command is to end; called once, when the server listens. */
  untilStopped(): Promise<void>;
}

/** Returns the exit code: 0 after a clean stop, 1 where it could not start or stop, 2 for a command line that makes no sense. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, printError } = surroundings;
  try {
    const command = parseCommandLine(args);
    if (command === "help") {
      print(help.trimEnd());
      return 0;
    }
    const broker = await surroundings.openBroker(command);
    try {
      const server = await serve(broker, {
        host: command.host,
        port: command.port,
        insecure: command.insecure ?? false,
      });
      print(`logstore listening on ${server.address}`);
      await surroundings.untilStopped();
      await server.stop();
    } finally {
      await broker.close();
    }
    return 0;
  } catch (error) {
    printError(`logstore-server: ${describe(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** One line. Errors of the system have a code too (EADDRINUSE), and it is in their message. */
function describe(error: unknown): string {
  if (error instanceof UsageError) return `${error.message} (see logstore-server --help)`.replaceAll(/\s+/g, " ");
  if (error instanceof LogStoreError) return `${error.code}: ${error.message}`.replaceAll(/\s+/g, " ");
  return String(error instanceof Error ? error.message : error).replaceAll(/\s+/g, " ");
}
