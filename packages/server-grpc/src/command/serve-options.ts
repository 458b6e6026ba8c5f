import type { ServeOptions } from "../serving/serve-options.js";
import type { ServerConfig } from "./config-schema.js";

/** The part of the configuration that is passed to `serve`. */
export function serveOptions(config: ServerConfig): ServeOptions {
  const { listen, tls, access, insecure, maxBatchBytes, limits, drainTimeoutMs, reflection } = config;
  return { ...listen, ...defined({ tls, access, insecure, maxBatchBytes, ...limits, drainTimeoutMs, reflection }) };
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** Removes undefined options. */
function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
