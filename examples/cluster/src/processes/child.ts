/** A process that can be killed, and started again with the same arguments. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How much of what a process writes to stderr is kept, for the error if it does not start. */
const ERRORS_LENGTH = 2_000;

export class Child {
  readonly name: string;
  readonly #command: string;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;

  constructor(name: string, command: string, args: readonly string[]) {
    this.name = name;
    this.#command = command;
    this.#args = args;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** @param readyLine resolves when stdout has such a line; default: at once */
  async start(readyLine?: RegExp): Promise<void> {
    const output = readyLine ? "pipe" : "ignore";
    const child = spawn(this.#command, this.#args, { stdio: ["ignore", output, output] });
    this.#process = child;
    const closed = new Promise((resolve) => child.once("close", resolve));
    await once(child, "spawn");
    if (readyLine === undefined) return;
    let errors = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-ERRORS_LENGTH);
    });
    for await (const line of createInterface({ input: child.stdout! })) if (readyLine.test(line)) return;
    await closed;
    throw new Error(`${this.name} ended before it was ready: ${errors.trim() || "it wrote nothing to stderr"}`);
  }

  /** SIGKILL is a crash: the process finishes nothing and notifies no one. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (!this.isRunning) return;
    const exit = once(this.#process!, "exit");
    this.#process!.kill(signal);
    await exit;
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
