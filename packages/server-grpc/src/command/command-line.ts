/** What the command `logstore-server` is asked to do. */
import { parseArgs } from "node:util";
import { isLoopback } from "../transport/loopback.js";

export const help = `Serves a LogStore data directory over gRPC.

  logstore-server --data DIR [options]

  --data DIR            directory of the data; made where there is none
  --host HOST           name or address to listen on (default 127.0.0.1)
  --port PORT           port to listen on, 0 for a free one (default 7411)
  --durability LEVEL    when an append is acknowledged by default: "flushed", it survives a power cut (default),
                        or "written", it survives the end of this process
  --segment-bytes N     size at which a partition starts a new file
  --insecure            listen on other than loopback addresses, although nothing is encrypted and everyone may call
  --help                show this text
`;

export interface ServerCommand {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  /** Listens on other than loopback addresses, as it is. */
  readonly insecure?: true;
  readonly durability?: "flushed" | "written";
  readonly segmentBytes?: number;
}

/** A command line that makes no sense; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * The command, or "help" where that was asked for. `args` are those after the command's name.
 *
 * @throws UsageError
 */
export function parseCommandLine(args: readonly string[]): ServerCommand | "help" {
  const values = parse(args);
  if (values.help) return "help";
  if (!values.data) throw new UsageError("--data DIR is missing");
  const { data, host, durability, insecure } = values;
  if (!isLoopback(host) && !insecure) {
    throw new UsageError(
      `--host ${host} lets other machines in, and there is neither encryption nor access control yet: add --insecure if they are to`,
    );
  }
  if (durability !== undefined && durability !== "flushed" && durability !== "written") {
    throw new UsageError(`--durability is "flushed" or "written", not "${durability}"`);
  }
  const segmentBytes = values["segment-bytes"];
  return {
    data,
    host,
    port: wholeNumber("--port", values.port, 0, 65_535),
    ...(insecure && { insecure }),
    ...(durability && { durability }),
    ...(segmentBytes !== undefined && {
      segmentBytes: wholeNumber("--segment-bytes", segmentBytes, 1, Number.MAX_SAFE_INTEGER),
    }),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: "string" },
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "7411" },
        durability: { type: "string" },
        "segment-bytes": { type: "string" },
        insecure: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${option} is a whole number from ${min} to ${max}, not "${text}"`);
}
