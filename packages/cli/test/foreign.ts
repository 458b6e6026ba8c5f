import { spawnSync } from "node:child_process";

/** Whether a foreign program is installed. If it is not, prints that the test is skipped. */
export function isThere(program: string, args: readonly string[] = ["--version"]): boolean {
  if (spawnSync(program, args).error === undefined) return true;
  process.stdout.write(`skipped: there is no ${program}\n`);
  return false;
}
