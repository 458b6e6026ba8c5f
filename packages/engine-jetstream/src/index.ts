export type { LogStoreError } from "@logstore/codec";
export type { Durability, DurableMap, Engine, JournalStore, TopicCatalogue } from "@logstore/core/engine";
export { JetStreamEngine } from "./jetstream-engine.js";
export type { JetStreamEngineOptions } from "./options.js";
