/** Runs the command `logstore`, in this process or in a separate one. */
import { spawn } from "node:child_process";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { run } from "../src/run.js";

const bin = fileURLToPath(new URL("../dist/bin.cjs", import.meta.url));

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Replaces Ctrl-C when the command runs in this process. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a command line to its end in this process, which is much cheaper than starting another one.
 */
export async function logstore(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { env = {}, input = "", signal = new AbortController().signal } = options;
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const outputs = Promise.all([text(stdout), text(stderr)]);
  const code = await run(args, {
    // A home without profiles.
    environment: { HOME: "/nonexistent", ...env },
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    signal,
  });
  stdout.end();
  stderr.end();
  const [out, err] = await outputs;
  return { stdout: out, stderr: err, code };
}

/** Runs the built command in a process to its end. */
export async function logstoreProcess(args: readonly string[], { env, input = "" }: RunOptions = {}): Promise<Outcome> {
  const child = start(args, env);
  child.stdin.on("error", () => {}); // the process may exit before it has read everything
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

/** Starts the built command, for a test that writes to its stdin or stops it. */
export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const names = Object.keys(process.env).filter((name) =>
    /^(LOGSTORE_|XDG_|NO_COLOR$|FORCE_COLOR$|COLUMNS$)/.test(name),
  );
  const inherited = { ...process.env };
  for (const name of names) delete inherited[name];
  return spawn(process.execPath, [bin, ...args], { env: { ...inherited, ...env }, stdio: "pipe" });
}

/** Times and ids differ from run to run. */
export function normalised(output: string): string {
  return output
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "00000000-0000-4000-8000-000000000000")
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{3}Z/g, "2026-01-01 00:00:00.000Z")
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "$1:7411");
}
