import type { ServeOptions } from "../server.js";
import type { ServerConfig } from "./config-schema.js";

/** What of the configuration is the server's. */
export function serveOptions(config: ServerConfig): ServeOptions {
  const { listen, tls, access, maxBatchBytes, drainTimeoutMs, reflection } = config;
  return {
    ...listen,
    drainTimeoutMs,
    reflection,
    ...(maxBatchBytes !== undefined && { maxBatchBytes }),
    ...(tls !== undefined && { tls }),
    ...(access !== undefined && { access }),
  };
}
