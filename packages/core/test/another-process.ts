/** Runs a program that uses the built package in a separate process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export interface AnotherProcess {
  readonly child: ChildProcess;
  /** The next line that it prints; undefined once it has exited. */
  line(): Promise<string | undefined>;
  kill(): Promise<void>;
}

/** @param code source of a module, which receives `args` */
export function runElsewhere(code: string, ...args: string[]): AnotherProcess {
  const module = `const args = process.argv.slice(1);\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", module, ...args], {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    child,
    line: async () => (await lines.next()).value,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
