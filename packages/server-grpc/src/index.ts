// For everyone
export { type LogStoreServer, type ServeOptions, serve } from "./server.js";
// For those who open the broker themselves
export { storageHooks } from "./telemetry/storage-hooks.js";
