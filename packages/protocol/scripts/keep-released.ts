/**
 * Keeps the .proto files of a release for the next changes to be compared with. To be run after
 * `changeset version`: where that did not raise the version of this package, the files of the last
 * release stay.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Returns whether there is a new release. `directory` is that of the package. */
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
