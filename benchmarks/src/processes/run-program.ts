/**
 * Workloads that need a process of their own: for a fresh heap, a limit on open files, or a kill
 * -9.
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { endedWithThis } from "./children.ts";

/** The longest of them reads ten gigabytes. */
const TIMEOUT_MS = 600_000;

export interface ChildOptions {
  readonly nodeFlags?: readonly string[];
  /** Limit of open files. Default: that of this process. */
  readonly openFiles?: number;
}

/**
 * Runs `programs/<name>.ts`, which prints its report as JSON on stdout. Resolves to the report, and
 * to the time from start to exit.
 */
export async function runProgram<Report>(
  name: string,
  args: readonly (string | number)[],
  { nodeFlags = [], openFiles }: ChildOptions = {},
): Promise<{ report: Report; ms: number }> {
  const command = [process.execPath, ...nodeFlags, programFile(name), ...args.map(String)];
  const [program, ...rest] =
    openFiles === undefined ? command : ["sh", "-c", `ulimit -n ${openFiles} && exec "$0" "$@"`, ...command];
  const start = performance.now();
  const limits = { timeout: TIMEOUT_MS, killSignal: "SIGKILL" } as const;
  const child = endedWithThis(spawn(program!, rest, { stdio: ["ignore", "pipe", "inherit"], ...limits }));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve).once("error", reject);
  });
  const [output, status] = await Promise.all([text(child.stdout), exited]);
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`${name} ended with ${status ?? `a signal, after ${Math.round(ms)} ms`}`);
  return { report: JSON.parse(output) as Report, ms };
}

export function programFile(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
}
