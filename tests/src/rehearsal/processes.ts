/** Child processes of the rehearsal. Each has a time limit, and none outlives the rehearsal. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const TIME_LIMIT_MS = 600_000;
const TAIL_CHARS = 2_000;

export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A command that failed, with its output. */
export class CommandError extends Error {
  readonly output: string;

  constructor(message: string, output: string) {
    super(`${message}: ${output.trim().slice(-TAIL_CHARS)}`);
    this.output = output;
  }
}

const running = new Set<ChildProcess>();

/** Runs a command to its end and returns its stdout. If it fails, the error contains its output. */
export async function run(command: string, args: readonly string[], place: Place): Promise<string> {
  const child = start(command, args, { ...place, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, all] = ["", ""];
  child.stdout!.setEncoding("utf8").on("data", (text) => {
    stdout += text;
    all += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text) => (all += text));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill(child);
  }, TIME_LIMIT_MS);
  try {
    const [code, signal] = await once(child, "close");
    if (code === 0) return stdout;
    const end = isLate ? `took longer than ${TIME_LIMIT_MS / 1000} s` : `ended with ${code ?? signal}`;
    throw new CommandError(`${command} ${args.join(" ")} ${end}`, all);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts a command that keeps running. Resolves with the match when it prints the line that reports
 * that it is ready.
 */
export async function background(
  command: string,
  args: readonly string[],
  place: Place,
  ready: RegExp,
): Promise<{ match: RegExpExecArray; stop: () => Promise<void> }> {
  const child = start(command, args, { ...place, stdio: ["ignore", "pipe", "pipe"] });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    kill(child, "SIGTERM");
    const timer = setTimeout(() => kill(child), 20_000);
    await exit;
    clearTimeout(timer);
  };
  let all = "";
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command} is not ready: ${all.slice(-TAIL_CHARS)}`)), 120_000);
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => {
        all += `${line}\n`;
        const found = ready.exec(line);
        if (found) resolve(found);
      });
    }
    child.once("exit", (code) => reject(new Error(`${command} ended with ${code}: ${all.slice(-TAIL_CHARS)}`)));
    void Promise.race([once(child, "exit")]).finally(() => clearTimeout(timer));
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  return { match, stop };
}

/** Kills all processes that are still running. */
export function killAll(): void {
  for (const child of running) kill(child);
}

function start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  // A process group of its own, so that the children of a package manager end with it.
  const child = spawn(command, args, { ...options, detached: true });
  running.add(child);
  child.once("error", () => running.delete(child)).once("exit", () => running.delete(child));
  return child;
}

function kill({ pid }: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The process has already exited.
  }
}
