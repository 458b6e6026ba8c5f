import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { onTestFinished } from "vitest";

/** Removed when the test ends. Under `/dev/shm`, thousands of syncs take no time. */
export function temporaryDirectory(parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, "logstore-core-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What a kill -9 at this moment would leave: the files as they are, in a directory of their own. */
export function crashCopy(directory: string): string {
  const copy = join(temporaryDirectory(), "copy");
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Every file below a directory with its bytes as hex, directories with a slash: for "nothing was touched" (but `watermarks`). */
export function everyFile(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(directory, name);
    if (basename(path) === "watermarks") continue;
    if (statSync(path).isDirectory()) found[`${name}/`] = "";
    else found[name] = readFileSync(path).toString("hex");
  }
  return found;
}
