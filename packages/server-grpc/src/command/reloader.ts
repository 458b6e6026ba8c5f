/** The configuration, read again while the server runs: what can be altered is, and of the rest it is said that it was not. */
import type { Logger } from "pino";
import type { LogStoreServer } from "../server.js";
import type { CommandLine } from "./command-line.js";
import { type Environment, loadConfig } from "./config.js";
import type { AccessConfig, ServerConfig } from "./config-schema.js";
import { UsageError } from "./usage-error.js";

/** What a server takes in while it runs. */
interface Alterable {
  updateAccess(access: AccessConfig): void | Promise<void>;
  reloadCertificates(): void | Promise<void>;
}

export class Reloader {
  readonly #commandLine: CommandLine;
  readonly #environment: Environment;
  readonly #server: LogStoreServer & Partial<Alterable>;
  readonly #log: Logger;
  /** What the server was started with. */
  readonly #started: ServerConfig;
  /** One after another. */
  #reloading: Promise<void> = Promise.resolve();

  constructor(
    commandLine: CommandLine,
    config: ServerConfig,
    environment: Environment,
    server: LogStoreServer,
    log: Logger,
  ) {
    this.#commandLine = commandLine;
    this.#started = config;
    this.#environment = environment;
    this.#server = server;
    this.#log = log;
  }

  /** Never rejects: a configuration that makes no sense is logged, and what held before still holds. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  async #reload(): Promise<void> {
    try {
      const { config, warnings } = await loadConfig(this.#commandLine, this.#environment);
      for (const warning of warnings) this.#log.warn(warning);
      const applied: string[] = [];
      if (config.access !== undefined && this.#started.access !== undefined) {
        await this.#server.updateAccess?.(config.access);
        applied.push("access");
      }
      if (config.tls !== undefined && this.#started.tls !== undefined) {
        await this.#server.reloadCertificates?.();
        applied.push("certificates");
      }
      const needsRestart = changedKeys(this.#started, config);
      this.#log.info({ applied }, "the configuration was read again");
      if (needsRestart.length > 0) this.#log.warn({ keys: needsRestart }, "what changed here needs a restart");
    } catch (error) {
      const what = "the configuration was not read again: what held before still holds";
      if (error instanceof UsageError) this.#log.error({ problems: error.problems }, what);
      else this.#log.error({ err: error }, what);
    }
  }
}

/** Keys that a running server keeps as they were. */
function changedKeys(before: ServerConfig, after: ServerConfig): string[] {
  const [old, now] = [leaves(before), leaves(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key));
}

function leaves(config: ServerConfig): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (value: unknown, path: string) => {
    if (typeof value !== "object" || value === null) found.set(path, value);
    else for (const [name, inner] of Object.entries(value)) walk(inner, path === "" ? name : `${path}.${name}`);
  };
  const { access, accessFile, ...rest } = config;
  walk({ ...rest, access: access === undefined ? "off" : "on" }, "");
  return found;
}
