/** Connections from this broker to the others of its cluster. */
import { readFile } from "node:fs/promises";
import type { ConnectOptions } from "@logstore/client";
import type { ServeOptions } from "../serving/serve-options.js";
import type { ServerConfig } from "./config-schema.js";
import { installed } from "./installed.js";

/** Undefined with an engine that has no cluster. */
export async function connectToBroker(config: ServerConfig): Promise<ServeOptions["connectToBroker"]> {
  if (config.engine !== "jetstream") return undefined;
  const { GrpcLogApi } = await installed("@logstore/client", () => import("@logstore/client"));
  const options = connectOptions(config);
  return (address) => new GrpcLogApi(address, options);
}

/** The brokers of a cluster are configured alike: with TLS, all of them have it. */
export function connectOptions({ tls, cluster }: ServerConfig): ConnectOptions {
  const { brokerCaFile: caFile, brokerTokenFile } = cluster;
  const certificate = tls?.clientCaFile === undefined ? {} : { certFile: tls.certFile, keyFile: tls.keyFile };
  return {
    ownerOnly: true,
    ...(tls !== undefined && { tls: { caFile, ...certificate } }),
    // Read for each call, so that the token can be replaced.
    ...(brokerTokenFile !== undefined && { token: async () => (await readFile(brokerTokenFile, "utf8")).trim() }),
  };
}
