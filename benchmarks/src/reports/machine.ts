/** What the figures were measured on, without the name of the machine. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Of the measured directory, as `ext4`. */
  readonly fileSystem: string | undefined;
  readonly node: string;
  readonly v8: string;
  /** Abbreviated commit of the checkout; undefined outside of one. */
  readonly commit: string | undefined;
  /** Versions of our packages. */
  readonly packages: Record<string, string>;
  /** Versions of the other systems' packages. */
  readonly peers: Record<string, string>;
}

const OURS = ["codec", "core", "protocol", "client", "server-grpc"];

export function machine(directory: string): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${/^[\d.]+/.exec(release())?.[0] ?? ""}`, // what follows may name who built it
    fileSystem: output("stat", ["--file-system", "--format=%T", directory]),
    node: process.versions.node,
    v8: process.versions.v8,
    commit: output("git", ["rev-parse", "--short", "HEAD"]),
    packages: Object.fromEntries(OURS.map((name) => [name, versionOf(name)])),
    peers: packageAt("../../peers/package.json").dependencies,
  };
}

function versionOf(name: string): string {
  return packageAt(`../../../packages/${name}/package.json`).version;
}

function packageAt(path: string): { readonly version: string; readonly dependencies: Record<string, string> } {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

function output(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}
