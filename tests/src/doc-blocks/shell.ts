/**
 * Runs the shell blocks of pages, as printed, each in a directory of its own. `npm install` checks
 * that the packages exist in this workspace; commands of the packages are those of this workspace.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type Block, root } from "./blocks.ts";

export const hasBash = process.platform !== "win32" && spawnSync("bash", ["--version"]).status === 0;

const COMMANDS: Readonly<Record<string, string>> = {
  "logstore-server": "packages/server-grpc/dist/bin.cjs",
};

const NPM = `#!/usr/bin/env bash
[ "$1" = install ] || { echo "not for npm $*" >&2; exit 1; }
for name in "\${@:2}"; do
  case "$name" in
    -*) ;;
    @logstore/*) [ -d "${root}packages/\${name#@logstore/}" ] || { echo "there is no $name" >&2; exit 1; } ;;
    *) grep -qsr "\\"$name\\"" "${root}"{packages,tests,examples}/*/package.json "${root}tests/package.json" || { echo "$name is not known here" >&2; exit 1; } ;;
  esac
done
`;

const NPX = `#!/usr/bin/env bash
while [[ "$1" == -* ]]; do [ "$1" = -p ] && shift; shift; done
exec "$@"
`;

/** Makes a directory with the commands that blocks call. */
export function commandsIn(directory: string): string {
  const bin = join(directory, "bin");
  mkdirSync(bin);
  const scripts = { npm: NPM, npx: NPX };
  for (const [name, script] of Object.entries(scripts)) writeFileSync(join(bin, name), script);
  for (const [name, file] of Object.entries(COMMANDS)) {
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\nexec "${process.execPath}" "${join(root, file)}" "$@"\n`);
  }
  for (const name of [...Object.keys(scripts), ...Object.keys(COMMANDS)]) chmodSync(join(bin, name), 0o755);
  return bin;
}

/** @throws an error with the output of the block if one of its commands fails */
export function runShell({ code }: Block, directory: string, bin: string): string {
  return execFileSync("bash", ["-euo", "pipefail", "-c", code], {
    cwd: directory,
    encoding: "utf8",
    env: { ...process.env, PATH: [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter) },
    timeout: 280_000,
  });
}
