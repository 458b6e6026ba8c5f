/** Opens the engine jetstream, whose package is installed only where it is used. */
import { hostname } from "node:os";
import type { Engine } from "@logstore/core/engine";
import type { JetStreamEngineOptions } from "@logstore/engine-jetstream";
import type { ServerConfig } from "./config-schema.js";
import { installed } from "./installed.js";

/** @param onEvent for metrics and logs */
export async function openEngine(config: ServerConfig, onEvent: JetStreamEngineOptions["onEvent"]): Promise<Engine> {
  const { JetStreamEngine } = await installed("@logstore/engine-jetstream", () => import("@logstore/engine-jetstream"));
  return JetStreamEngine.open({ ...engineOptions(config), onEvent });
}

export function engineOptions({ nats = "", cluster, listen }: ServerConfig): JetStreamEngineOptions {
  const { natsCredentialsFile, natsCaFile: caFile, natsCertFile: certFile, natsKeyFile: keyFile, replicas } = cluster;
  const tls = { ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }) };
  return {
    servers: nats.split(",").map((address) => address.trim()),
    connection: Object.keys(tls).length > 0 ? { tls } : undefined,
    credentialsFile: natsCredentialsFile,
    broker: cluster.broker ?? nameOf(hostname()),
    address: cluster.address ?? `${bracketed(listen.host)}:${listen.port}`,
    namespace: cluster.namespace,
    standby: true,
    leaseMs: cluster.leaseMs,
    syncsAlways: cluster.syncsAlways,
    monitoringUrls: cluster.natsMonitoring?.split(",").map((url) => url.trim()),
    replicas: replicas as JetStreamEngineOptions["replicas"], // the engine checks it
  };
}

/** A name as the engine allows it. */
function nameOf(host: string): string {
  return host.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, 64);
}

/** An IPv6 address needs brackets before a port. */
function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
