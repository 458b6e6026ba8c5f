import type { Broker, LogStoreHooks } from "@logstore/core";
import type { LogApi, TopicHealthApi } from "@logstore/protocol";
import type { Environment } from "./config.js";
import type { ServerConfig } from "./config-schema.js";

/** What the command needs of the world. */
export interface Surroundings {
  readonly environment: Environment;
  openBroker(config: ServerConfig, hooks: LogStoreHooks): Promise<ServedBroker>;
  print(line: string): void;
  printError(line: string): void;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Aborts when the command is to end, also while it is still starting. */
  readonly stopping: AbortSignal;
  /**
   * Calls `reload` whenever the configuration is to be read again; called once, when the server
   * listens.
   */
  onReload(reload: () => void): void;
  /** Where log lines go. Default: stderr. */
  readonly logSink?: ((line: string) => void) | undefined;
}

export type ServedBroker = LogApi &
  Partial<TopicHealthApi> &
  Pick<Broker, "close" | "recovery"> &
  Partial<Pick<Broker, "opened" | "progress">>;
