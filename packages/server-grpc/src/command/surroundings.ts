import type { Broker, LogStoreHooks } from "@logstore/core";
import type { JetStreamEvent } from "@logstore/engine-jetstream";
import type { LogApi, TopicHealthApi } from "@logstore/protocol";
import type { Environment } from "./config.js";
import type { ServerConfig } from "./config-schema.js";

/** The environment of the command. */
export interface Surroundings {
  readonly environment: Environment;
  openBroker(
    config: ServerConfig,
    hooks: LogStoreHooks,
    onClusterEvent?: (event: JetStreamEvent) => void,
  ): Promise<ServedBroker>;
  print(line: string): void;
  printError(line: string): void;
  /** Reads all of standard input. */
  readInput(): Promise<string>;
  /** Aborts when the command must stop, also during the start. */
  readonly stopping: AbortSignal;
  /**
   * Registers the callback for reloads of the configuration; called once, when the server listens.
   */
  onReload(reload: () => void): void;
  /** Receives log lines. Default: stderr. */
  readonly logSink?: ((line: string) => void) | undefined;
}

export type ServedBroker = LogApi &
  Partial<TopicHealthApi> &
  Pick<Broker, "close" | "recovery"> &
  Partial<Pick<Broker, "opened" | "progress" | "join" | "drain" | "otherBrokers">>;
