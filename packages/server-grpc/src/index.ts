// For everyone
export { type LogStoreServer, type ServeOptions, serve } from "./server.js";
