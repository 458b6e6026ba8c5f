// Application API: serving a broker, and access control

export type { ErrorCode } from "@logstore/codec";
export type { CommittedEvent, FailedEvent, ReadEvent } from "@logstore/core";
export type { ClusterApi, LogApi, TopicHealthApi } from "@logstore/protocol";
export type {
  AccessConfig,
  CertificateName,
  JwtConfig,
  QuotaConfig,
  RuleConfig,
  TokenConfig,
} from "./access/access-config.js";
export { type Operation, operations } from "./access/operations.js";
export type { Refusal } from "./access/refusal.js";
export type { Peer } from "./cluster/peers.js";
export { serve } from "./server.js";
export type { LogStoreServer } from "./serving/log-store-server.js";
export type { ServeOptions } from "./serving/serve-options.js";
export type { ServerTlsOptions } from "./transport/tls-options.js";

// For programs that open the broker themselves: metrics of the engine

export { storageHooks } from "./telemetry/storage-hooks.js";
