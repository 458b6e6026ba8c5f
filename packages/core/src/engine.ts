/**
 * For authors of engines: the interfaces, and the parts that engines share. See docs/engines.md.
 */
export type { LogStoreError, RecordBatch } from "@logstore/codec";
export type { Durability, Position, TopicConfig } from "@logstore/protocol";
export type { EngineBrokerOptions } from "./broker/broker-options.js";
export {
  type Assigned,
  assignOffsets,
  checkExpectedOffset,
  type LogEnd,
  type Place,
  type Unplaced,
} from "./engine/append/assign-offsets.js";
export { AppendCheck } from "./engine/append/check-append.js";
export { checkDurability } from "./engine/append/check-durability.js";
export { type ProducerSnapshot, ProducerState } from "./engine/append/producer-state.js";
export type { Cluster, Owner } from "./engine/cluster.js";
export type { DurableMap, MapEntry } from "./engine/durable-map.js";
export type { Engine } from "./engine/engine.js";
export type { JournalStore, SnapshotReader, SnapshotSink } from "./engine/journal-store.js";
export {
  type Appended,
  type AppendOptions,
  type BatchAppendOptions,
  BatchTooLongToRead,
  type Chunk,
  type Gap,
  type LogBounds,
  type LogReader,
  type PartitionLog,
  type ReadOptions,
} from "./engine/partition-log.js";
export { bufferFor } from "./engine/read/buffers.js";
export { LogOffsets } from "./engine/read/log-offsets.js";
export { checkedPosition } from "./engine/read/position.js";
export {
  type FoundTopic,
  type FoundTopics,
  type SharedCatalogue,
  type Topic,
  type TopicCatalogue,
  TopicUnsettledError,
  type UnopenableTopic,
} from "./engine/topic-catalogue.js";
export type { AssignableMember, Assignor, AssignorInput, Target } from "./group/assignors/assignor.js";
export { sticky as stickyAssignor } from "./group/assignors/sticky.js";
export { type Steps, toEnd } from "./group/time/slices.js";
export { MemoryEngine } from "./memory-engine/memory-engine.js";
export { MemoryHome } from "./memory-engine/memory-home.js";
