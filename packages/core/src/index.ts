/// <reference lib="esnext.disposable" preserve="true" />

// Application API

export {
  type BatchLimits,
  BatchTooLargeError,
  BufferFullError,
  type Bytes,
  ClosedError,
  type CompressionName,
  CorruptBatchError,
  CorruptPartitionError,
  type ErrorCode,
  type ErrorFields,
  ForeignFormatError,
  type Header,
  type HeaderInput,
  InvalidArgumentError,
  LockedError,
  type LogRecord,
  LogStoreError,
  NotALogStoreError,
  OffsetGapError,
  OffsetOutOfRangeError,
  OutOfOrderSequenceError,
  PartitionCountMismatchError,
  type Partitioner,
  PartitionerMismatchError,
  ProducerFencedError,
  type RecordBatch,
  type RecordInput,
  RecordTooLargeError,
  SnapshotExistsError,
  StorageFailedError,
  TopicExistsError,
  TruncatedBatchError,
  UnknownPartitionError,
  UnknownSnapshotError,
  UnknownTopicError,
  UnsupportedCompressionError,
  UnsupportedFormatVersionError,
  WrongExpectedOffsetError,
} from "@logstore/codec";
export type {
  ClusterApi,
  CommitOffsetsRequest,
  CommitResult,
  CommittedOffset,
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  CreateTopicRequest,
  Durability,
  FetchOptions,
  FetchRequest,
  FetchResult,
  GroupCallOptions,
  GroupDescription,
  GroupMembership,
  GroupSummary,
  JoinGroupRequest,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
  Position,
  ProduceAck,
  ProduceRequest,
  ResetOffsetsRequest,
  ServerDescription,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicHealth,
  TopicHealthApi,
  TopicOptions,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";
export { Broker } from "./broker/broker.js";
export type { BrokerOptions } from "./broker/broker-options.js";
export type { BrokerRecovery, UnreadableTopic } from "./broker/broker-recovery.js";
export { ReadOnlyBroker } from "./broker/read-only-broker.js";
export type { UnreadableSnapshot } from "./broker/snapshots/snapshot-directories.js";
export type { TopicLimitOptions, TopicLimits } from "./broker/topics/topic-limits.js";
export type { OpeningProgress } from "./broker/topics/topics.js";
export type { AppendOptions } from "./engine/partition-log.js";
export type { GroupLimitOptions, GroupLimits } from "./group/state/group-totals.js";
export type {
  CommittedEvent,
  DamagedEvent,
  DeletedEvent,
  FailedEvent,
  LogStoreHooks,
  ReadEvent,
  RolledEvent,
} from "./hooks/hooks.js";
export type {
  ClockBehindEvent,
  NewDirectoryEvent,
  OutOfDescriptorsEvent,
  WarnedEvent,
} from "./hooks/warnings.js";
export type { BilogDamage, BilogDamageReason } from "./import/bilog-reader.js";
export { type BilogReport, type ImportBilogOptions, importBilog } from "./import/import-bilog.js";
export type { BilogFileReport } from "./import/import-bilog-file.js";
export type { AppendAck } from "./partition/append/append-queue.js";
export type { TornTail } from "./partition/recovery/torn-tail.js";
export type { RepairAction } from "./partition/upkeep/repair-log.js";
export type { VerifyEvent, VerifyFinding, VerifyProgress } from "./partition/upkeep/verify-log.js";
export type { StoreSnapshot } from "./snapshot/copy-store.js";
export type {
  AppendRecordOptions,
  PositionInput,
  ReadOptions,
  SkippedRecords,
  TailOptions,
} from "./store/call-options.js";
export { LogStore } from "./store/log-store.js";
export type { AlterableOptions, LogStoreOptions, ReadOnlyOptions } from "./store/options.js";
export type { Partition, Slice } from "./store/partition.js";
export type { ReadOnlyLogStore } from "./store/read-only-log-store.js";
export type { RecordStream } from "./store/record-stream.js";
export type { RecoveryReport } from "./store/store-health.js";

// For authors of storages: a disk of your own

export { MemoryStorage } from "./storage/memory-storage.js";
export { NodeStorage } from "./storage/node-storage.js";
export type { FileAccess, FileHold, Lock, Storage, StorageFile } from "./storage/storage.js";
