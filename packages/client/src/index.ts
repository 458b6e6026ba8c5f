// For everyone

// Errors to tell apart, and the types that appear in signatures above
export {
  BatchTooLargeError,
  BufferFullError,
  type Bytes,
  ClosedError,
  CorruptBatchError,
  DeliveryTimeoutError,
  type ErrorCode,
  FencedMemberError,
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
  PermissionDeniedError,
  QuotaExceededError,
  RecordTooLargeError,
  SnapshotExistsError,
  StorageFailedError,
  TopicExistsError,
  UnauthenticatedError,
  UnavailableError,
  UnknownGroupError,
  UnknownPartitionError,
  UnknownSnapshotError,
  UnknownTopicError,
  WrongExpectedOffsetError,
} from "@logstore/codec";
export type {
  AssignorName,
  CommittedOffset,
  Durability,
  GroupDescription,
  GroupMember,
  GroupPartition,
  GroupState,
  GroupSummary,
  LogApi,
  PartitionDescription,
  PartitionOffset,
  Position,
  ResetOffsetsRequest,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicOptions,
  TopicPartition,
  TopicSummary,
} from "@logstore/protocol";
export { type CreateTopicOptions, LogClient, type ResetOffsets } from "./client.js";
export { type ConnectOptions, connect } from "./connect.js";
export { Consumer } from "./consumer/consumer.js";
export type { ConsumerBatch } from "./consumer/consumer-batch.js";
export type { ConsumerOptions, StartPositions } from "./consumer/consumer-options.js";
export type { ConsumerRecord } from "./consumer/consumer-record.js";
export type { SkippedRecords } from "./consumer/partition-state.js";
export type { ClientEvent, OnClientEvent } from "./events.js";
export { GroupConsumer } from "./group/group-consumer.js";
export type { GroupConsumerOptions, RecreatedTopic } from "./group/group-options.js";
export type { StartPolicy } from "./group/start-positions.js";
export type { CredentialOptions, TlsOptions, Token } from "./grpc/channel-credentials.js";
// For those who build on the bare API
export { GrpcLogApi, type GrpcOptions } from "./grpc/grpc-log-api.js";
export type { ParkedRecord } from "./parked/parked-record.js";
export { ParkedRecords, type ReplayOptions, type ReplayResult } from "./parked/parked-records.js";
export type { PositionInput, Time } from "./position.js";
export type { SendAck } from "./producer/batch.js";
export type { AppendAck, AppendOptions } from "./producer/partition-appender.js";
export { Producer, type ProducerOptions, type ProducerRecord } from "./producer/producer.js";
export type { SendManyResult, SentRange } from "./producer/send-many.js";
export type { CloseOptions } from "./registry.js";
export type { RecordContext, RetryOptions, RunOptions } from "./run/run-options.js";
export { bytes, json, type Serializer, text } from "./serializers.js";
export { traceContextOf } from "./telemetry/record-context.js";
