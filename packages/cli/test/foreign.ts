import { spawnSync } from "node:child_process";

/** Whether a program of others is there; where it is not, the test says that it is skipped. */
export function isThere(program: string, args: readonly string[] = ["--version"]): boolean {
  if (spawnSync(program, args).error === undefined) return true;
  process.stdout.write(`skipped: there is no ${program}\n`);
  return false;
}
