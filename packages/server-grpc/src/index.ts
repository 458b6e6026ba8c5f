// For everyone
export type {
  AccessConfig,
  JwtConfig,
  QuotaConfig,
  RuleConfig,
  TokenConfig,
} from "./access/access-config.js";
export { type Operation, operations } from "./access/operations.js";
export type { Refusal } from "./access/refusal.js";
export type { ServeOptions } from "./serve-options.js";
export { type LogStoreServer, serve } from "./server.js";
// For those who open the broker themselves
export { storageHooks } from "./telemetry/storage-hooks.js";
export type { TlsOptions } from "./transport/tls-files.js";
