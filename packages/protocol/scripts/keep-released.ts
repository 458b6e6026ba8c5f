/**
 * Copies the .proto files of a release, so that later changes can be compared with them. Run it
 * after `changeset version`. If that did not change the version of this package, the previous copy
 * stays.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Returns whether there is a new release. `directory` is the package directory. */
export function keepReleased(directory: string): boolean {
  const { version } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { version: string };
  const versionFile = join(directory, "released/VERSION");
  if (readFileSync(versionFile, "utf8").trim() === version) return false;
  rmSync(join(directory, "released/logstore"), { recursive: true });
  cpSync(join(directory, "proto/logstore"), join(directory, "released/logstore"), { recursive: true });
  writeFileSync(versionFile, `${version}\n`);
  return true;
}

if (import.meta.main) keepReleased(join(import.meta.dirname, ".."));
