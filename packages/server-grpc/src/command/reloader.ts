/**
 * Reloads the configuration while the server runs: applies the keys that can change, and logs the
 * others.
 */
import type { Logger } from "pino";
import type { LogStoreServer } from "../serving/log-store-server.js";
import type { CommandLine } from "./command-line.js";
import { type Environment, loadConfig } from "./config.js";
import type { ServerConfig } from "./config-schema.js";
import { UsageError } from "./usage-error.js";

export class Reloader {
  readonly #commandLine: CommandLine;
  readonly #environment: Environment;
  readonly #server: LogStoreServer;
  readonly #log: Logger;
  /** The configuration with which the server was started. */
  readonly #started: ServerConfig;
  /** Reloads run one after another. */
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

  /** Never rejects: an invalid configuration is logged, and the previous one stays in effect. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  async #reload(): Promise<void> {
    try {
      const { config, warnings } = await loadConfig(this.#commandLine, this.#environment);
      for (const warning of warnings) this.#log.warn(warning);
      const { access, tls } = config;
      const applied: string[] = [];
      if (access !== undefined && this.#started.access !== undefined) {
        if (await this.#apply("access", () => this.#server.updateAccess(access))) applied.push("access");
      }
      if (tls !== undefined && this.#started.tls !== undefined) {
        if (await this.#apply("certificates", () => this.#server.reloadCertificates())) applied.push("certificates");
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

  /**
   * Returns whether the part was applied. A part that cannot be applied, for example because its
   * files are invalid, does not prevent the other one.
   */
  async #apply(part: string, change: () => Promise<void>): Promise<boolean> {
    try {
      await change();
      return true;
    } catch (err) {
      this.#log.error({ part, err }, "a part of the configuration was not applied: what held of it before still holds");
      return false;
    }
  }
}

/** Keys that need a restart. */
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
