/**
 * Runs commands in the process of the tests, on a broker in memory: a separate process takes a
 * second to start.
 */
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { connect } from "@logstore/client";
import type { Broker } from "@logstore/core";
import type { Context } from "../src/command/context.js";
import { describeError } from "../src/errors/describe-error.js";
import { Output, type OutputOptions } from "../src/output/output.js";

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface Surroundings extends OutputOptions {
  /** The broker that the command connects to. Default: none. */
  readonly broker?: Broker | undefined;
  readonly input?: string | Uint8Array | undefined;
  readonly columns?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Run = (context: Context, ...args: never[]) => Promise<void>;

/** Runs a command's module with its options and arguments as they are after parsing. */
export async function runIn(surroundings: Surroundings, run: Run, options: object, ...args: unknown[]): Promise<Ran> {
  const { broker, input = "", columns, signal = new AbortController().signal } = surroundings;
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const told = Promise.all([text(stdout), text(stderr)]);
  const environment = { COLUMNS: columns === undefined ? undefined : String(columns) };
  const output = new Output(surroundings, environment, stdout as never, stderr as never);
  const cleanUps: (() => Promise<void> | void)[] = [];
  const place = { kind: "server", seeds: ["localhost:7411"], origin: "the test" } as const;
  const context: Context = {
    output,
    environment,
    stdin: stdin as never,
    stderr: stderr as never,
    signal,
    exitCode: 0,
    endsBySignal: () => {},
    onEnd: (cleanUp) => void cleanUps.unshift(cleanUp),
    place: async () => place,
    open: async () => ({ client: connect(broker!), api: broker!, place, close: async () => {} }),
  };
  let code: number;
  try {
    await run(context, ...([options, ...args] as never[]));
    for (const cleanUp of cleanUps) await cleanUp();
    code = context.exitCode;
  } catch (error) {
    const described = describeError(error);
    stderr.write(`${described.code}: ${described.message}\n${described.hint ?? ""}\n`);
    code = described.exitCode;
    for (const cleanUp of cleanUps) await cleanUp();
  }
  stdout.end();
  stderr.end();
  const [out, err] = await told;
  return { stdout: out, stderr: err, code };
}
