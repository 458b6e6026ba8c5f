/** Connections from this broker to the others of its cluster. */
import { readFile } from "node:fs/promises";
import type { ClientEvent, ConnectOptions } from "@logstore/client";
import type { Logger } from "pino";
import type { ServeOptions } from "../serving/serve-options.js";
import type { ServerConfig } from "./config-schema.js";
import { installed } from "./installed.js";

/** Undefined with an engine that has no cluster. */
export async function connectToBroker(config: ServerConfig, log: Logger): Promise<ServeOptions["connectToBroker"]> {
  if (config.engine !== "jetstream") return undefined;
  const { GrpcLogApi } = await installed("@logstore/client", () => import("@logstore/client"));
  const options = { ...connectOptions(config), onEvent: peerLog(log) };
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

/** Logs when another broker cannot be reached, and when it can again: not each call meanwhile. */
export function peerLog(log: Logger): (event: ClientEvent) => void {
  return (event) => {
    const { type, address: broker } = event;
    if (type === "lost") log.warn({ broker, err: event.error }, "another broker cannot be reached");
    else if (type === "restored") log.info({ broker, lostMs: event.lostMs }, "another broker can be reached again");
  };
}
