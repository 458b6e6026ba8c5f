// Application API

export type { AdminClient } from "./admin-client.js";
export type {
  CreateTopicOptions,
  EnsureTopicOptions,
  ResetOffsets,
} from "./admin-options.js";
export type { LogClient } from "./client.js";
export type { ClientEvent, OnClientEvent } from "./common/events.js";
export type { PositionInput, Time } from "./common/position.js";
export type { CloseOptions } from "./common/registry.js";
export { bytes, json, type Serializer, text } from "./common/serializers.js";
export type { FormatToReceive, FormatToSend, ValueFormatOptions, ValueOptions } from "./common/value-format.js";
export { connect } from "./connect.js";
export type { ConsumerCloseOptions } from "./consumer/close-options.js";
export type { Consumer } from "./consumer/consumer.js";
export type { ConsumerOptions, RecreatedTopic } from "./group/consumer-options.js";
export type { StartPolicy } from "./group/start-positions.js";
export type { ConnectOptions, TlsOptions, Token } from "./grpc/connect-options.js";
export type { ParkedRecords, ReplayOptions, ReplayResult } from "./parked/parked-records.js";
export type { AppendAck } from "./producer/append-ack.js";
export type { AppendOptions } from "./producer/append-options.js";
export type { DeliveryOptions } from "./producer/delivery-options.js";
export type { Producer } from "./producer/producer.js";
export type { ProducerOptions } from "./producer/producer-options.js";
export type { AppendRecord, ProducerRecord } from "./producer/producer-record.js";
export type { SendManyResult, SentRange } from "./producer/send-many.js";
export type { ConsumerBatch } from "./reader/consumer-batch.js";
export type { ConsumerRecord, RecordFormatOptions, RecordFormatToReceive } from "./reader/consumer-record.js";
export type { SkippedRecords } from "./reader/partition-state.js";
export type { Reader } from "./reader/reader.js";
export type {
  Assignment,
  ReaderOptions,
  ReaderPartitions,
  ReadingOptions,
  StartPositions,
} from "./reader/reader-options.js";
export type { ParkedRecord } from "./run/parked-record.js";
export type { RecordContext, RetryOptions, RunOptions } from "./run/run-options.js";
export { traceContextOf } from "./telemetry/record-context.js";

// Descriptions of topics, snapshots and groups

export type {
  AssignorName,
  CommittedOffset,
  Durability,
  ErrorDetail,
  GroupDescription,
  GroupMember,
  GroupPartition,
  GroupState,
  GroupSummary,
  PartitionBounds,
  PartitionDescription,
  PartitionOffset,
  Position,
  ResetOffsetsRequest,
  ServerDescription,
  ServerLimits,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicOptions,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";

// Records and errors

export {
  BatchTooLargeError,
  BufferFullError,
  type Bytes,
  ClosedError,
  type CompressionName,
  CorruptBatchError,
  CorruptPartitionError,
  DeliveryTimeoutError,
  type ErrorCode,
  type ErrorFields,
  FencedMemberError,
  GroupLimitExceededError,
  GroupNotEmptyError,
  type Header,
  type HeaderInput,
  InconsistentTopicIdError,
  InternalError,
  InvalidArgumentError,
  InvalidValueError,
  LogStoreError,
  NoCommittedOffsetError,
  OffsetGapError,
  OffsetOutOfRangeError,
  OutOfOrderSequenceError,
  PartitionerMismatchError,
  PermissionDeniedError,
  QuotaExceededError,
  RecordTooLargeError,
  ResourceLimitExceededError,
  SnapshotExistsError,
  StorageFailedError,
  TopicExistsError,
  UnauthenticatedError,
  UnavailableError,
  UnknownGroupError,
  UnknownPartitionError,
  UnknownSnapshotError,
  UnknownTopicError,
  UnsupportedCompressionError,
  WrongExpectedOffsetError,
} from "@logstore/codec";

// Library authors: the log behind a client, without its conveniences

export type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  CreateTopicRequest,
  FetchOptions,
  FetchRequest,
  FetchResult,
  GroupApi,
  ListOffsetsRequest,
  LogApi,
  ProduceAck,
  ProduceRequest,
} from "@logstore/protocol";
export { GrpcLogApi } from "./grpc/grpc-log-api.js";
