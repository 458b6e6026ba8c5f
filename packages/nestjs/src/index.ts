export type { ConnectionOptions } from "./connection.js";
export { LogStoreContext } from "./context.js";
export { NoReplyError } from "./errors.js";
export { LogStoreClient, type LogStoreClientOptions, LogStoreRecord } from "./proxy.js";
export { LogStoreServer, type LogStoreServerOptions, type LogStoreStatus } from "./server.js";
