export { JetStreamEngine } from "./jetstream-engine.js";
export type { JetStreamEngineOptions } from "./options.js";
