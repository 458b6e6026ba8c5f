import type { ServeOptions } from "../serving/serve-options.js";
import type { ServerConfig } from "./config-schema.js";

/** What of the configuration is the server's. */
export function serveOptions(config: ServerConfig): ServeOptions {
  const { listen, tls, access, insecure, maxBatchBytes, limits, drainTimeoutMs, reflection } = config;
  return { ...listen, ...defined({ tls, access, insecure, maxBatchBytes, ...limits, drainTimeoutMs, reflection }) };
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Without what was not said. */
function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
