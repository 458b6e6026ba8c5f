/** A program in a process of its own, which the built package is loaded into. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export interface AnotherProcess {
  readonly child: ChildProcess;
  /** The next line that it prints; undefined when it has ended. */
  line(): Promise<string | undefined>;
  kill(): Promise<void>;
}

/** @param code a module; `args` is what it is given */
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
