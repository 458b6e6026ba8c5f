/** Packages as they are published. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Manifest {
  readonly packageManager?: string;
  readonly version: string;
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

export function manifest(packageDirectory: string): Manifest {
  return JSON.parse(readFileSync(join(packageDirectory, "package.json"), "utf8"));
}

/**
 * Packs the built package `packages/<name>` into a tarball in `directory`. Uses pnpm, which
 * replaces workspace versions in dependencies.
 */
export function pack(name: string, directory: string): void {
  const isOnPath = spawnSync("pnpm", ["--version"]).status === 0;
  const [command, ...args] = isOnPath ? ["pnpm"] : ["npx", "--yes", "--prefer-offline", manifest(root).packageManager!];
  execFileSync(command!, [...args, "pack", "--pack-destination", directory], {
    cwd: join(root, "packages", name),
    stdio: ["ignore", "ignore", "pipe"],
  });
}
