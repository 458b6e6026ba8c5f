/**
 * The temporary directory of a rehearsal, the environment of its commands, and the tools of other
 * projects that it installs there.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Place, run } from "./processes.ts";
import { SkippedError } from "./report.ts";

/** Versions of the tools; Dependabot reads the same file. */
const tools: Record<string, string> = JSON.parse(
  readFileSync(new URL("tools/package.json", import.meta.url), "utf8"),
).devDependencies;

export class Workshop {
  readonly directory = mkdtempSync(join(tmpdir(), "logstore-rehearsal-"));
  /** The registry that npm is configured to use. */
  readonly upstream: string;
  /** The environment without the variables that a package manager sets for its scripts. */
  readonly #plain: NodeJS.ProcessEnv;
  /** The rehearsal's own registry. */
  registry: string | undefined;

  constructor() {
    this.#plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)));
    const options = { env: this.#plain, cwd: this.directory, encoding: "utf8" } as const;
    this.upstream = execFileSync("npm", ["config", "get", "registry"], options).trim();
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  /**
   * An environment whose package managers use the rehearsal's registry, and caches of their own.
   */
  env(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    if (this.registry === undefined) return { ...this.#plain, ...more };
    const hosts = [process.env["NO_PROXY"], "127.0.0.1", "localhost"].filter(Boolean).join(",");
    return {
      ...this.#plain,
      NO_PROXY: hosts,
      no_proxy: hosts,
      npm_config_registry: this.registry,
      npm_config_cache: this.path("cache/npm"),
      npm_config_update_notifier: "false",
      npm_config_fund: "false",
      npm_config_audit: "false",
      // Only a workflow of the real repository can create provenance.
      npm_config_provenance: "false",
      pnpm_config_registry: this.registry,
      pnpm_config_provenance: "false",
      pnpm_config_store_dir: this.path("cache/pnpm"),
      YARN_REGISTRY: this.registry,
      YARN_CACHE_FOLDER: this.path("cache/yarn"),
      BUN_INSTALL_CACHE_DIR: this.path("cache/bun"),
      DENO_DIR: this.path("cache/deno"),
      DENO_NO_UPDATE_CHECK: "1",
      NPM_CONFIG_REGISTRY: this.registry,
      ...more,
    };
  }

  /** Creates a user's directory that contains only the programs of the rehearsal. */
  app(name: string, manifest: object = {}): Place {
    const cwd = this.path("apps", name);
    mkdirSync(cwd, { recursive: true });
    const registry = this.registry!;
    const token = `${registry.replace("http:", "")}:_authToken=rehearsal`;
    writeFileSync(join(cwd, ".npmrc"), `registry=${registry}\n${token}\n`);
    // The install script of one of the client's dependencies is not needed.
    writeFileSync(join(cwd, "pnpm-workspace.yaml"), "allowBuilds:\n  protobufjs: false\n");
    writeFileSync(join(cwd, "package.json"), JSON.stringify({ name, private: true, type: "module", ...manifest }));
    cpSync(new URL("programs", import.meta.url), join(cwd, "programs"), { recursive: true });
    return { cwd, env: this.env() };
  }

  /**
   * Installs a tool from the registry that npm is configured to use, and returns its directory. If
   * that registry does not have the tool, the check is skipped.
   */
  async tool(name: string, version = tools[name]): Promise<string> {
    const home = this.path("tools", `${name.replace("/", "+")}@${version}`);
    const installed = join(home, "node_modules", name);
    if (existsSync(installed)) return installed;
    mkdirSync(home, { recursive: true });
    // A dependency of the registry requires this package by a tag that a mirror may not have.
    writeFileSync(join(home, "package.json"), JSON.stringify({ private: true, overrides: { "node-fetch": "^2.7.0" } }));
    const args = ["install", "--no-audit", "--no-fund", "--loglevel", "error", `${name}@${version}`];
    try {
      await run("npm", args, { cwd: home, env: this.#plain });
    } catch (error) {
      throw new SkippedError(`${name} ${version} cannot be installed (${lastLine(error as Error)})`);
    }
    return installed;
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function lastLine({ message }: Error): string {
  return (
    message.split("\n").findLast((line) => /error /.test(line) && !/complete log/.test(line)) ?? message.slice(0, 200)
  );
}
