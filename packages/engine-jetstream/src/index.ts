export type { LogStoreError } from "@logstore/codec";
export type { Cluster, Durability, DurableMap, Engine, JournalStore, TopicCatalogue } from "@logstore/core/engine";
export type {
  FencedEvent,
  JetStreamEvent,
  JetStreamEventSource,
  LeaseEvent,
  OutcomeEvent,
  OwnersFailedEvent,
  QuorumEvent,
  RecordsLostEvent,
  RenewalFailedEvent,
  SyncLostEvent,
  SyncUnknownEvent,
  TakeoverEvent,
} from "./events/jetstream-events.js";
export { JetStreamEngine } from "./jetstream-engine.js";
export type { JetStreamEngineOptions } from "./options.js";
