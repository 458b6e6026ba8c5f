// For everyone
export {
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
export type { Durability, Position, SnapshotDescription, TopicConfig, TopicConfigChange } from "@logstore/protocol";
export { Broker, type BrokerOptions } from "./broker/broker.js";
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
export type { AppendOptions } from "./partition/partition-log.js";
export type { TornTail } from "./partition/recovery/torn-tail.js";
export type { RepairAction } from "./partition/upkeep/repair-log.js";
export type { VerifyEvent, VerifyFinding, VerifyProgress } from "./partition/upkeep/verify-log.js";
export type { StoreSnapshot } from "./snapshot/copy-store.js";
// For those who bring their own disk
export { MemoryStorage } from "./storage/memory-storage.js";
export { NodeStorage } from "./storage/node-storage.js";
export type { FileAccess, FileHold, Lock, Storage, StorageFile } from "./storage/storage.js";
export type {
  AppendManyAck,
  AppendRecordOptions,
  PositionInput,
  ReadOptions,
  SkippedRecords,
  TailOptions,
} from "./store/call-options.js";
export { LogStore, type RecoveryReport } from "./store/log-store.js";
export type { AlterableOptions, LogStoreOptions, ReadOnlyOptions } from "./store/options.js";
export type { Partition, Slice } from "./store/partition.js";
export type { ReadOnlyLogStore } from "./store/read-only-log-store.js";
export type { RecordStream } from "./store/record-stream.js";
