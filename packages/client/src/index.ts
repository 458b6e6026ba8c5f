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
  type Header,
  type HeaderInput,
  InternalError,
  InvalidArgumentError,
  InvalidValueError,
  LogStoreError,
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
  UnknownPartitionError,
  UnknownSnapshotError,
  UnknownTopicError,
} from "@logstore/codec";
export type {
  Durability,
  LogApi,
  PartitionDescription,
  PartitionOffset,
  Position,
  SnapshotDescription,
  TopicConfig,
  TopicConfigChange,
  TopicDescription,
  TopicSummary,
} from "@logstore/protocol";
export { LogClient } from "./client.js";
export { type ConnectOptions, connect } from "./connect.js";
export { Consumer, type ConsumerOptions, type StartPositions } from "./consumer/consumer.js";
export type { ConsumerBatch } from "./consumer/consumer-batch.js";
export type { ConsumerRecord } from "./consumer/consumer-record.js";
export type { CredentialOptions, TlsOptions, Token } from "./grpc/channel-credentials.js";
// For those who build on the bare API
export { GrpcLogApi, type GrpcOptions } from "./grpc/grpc-log-api.js";
export type { SendAck } from "./producer/batch.js";
export { Producer, type ProducerOptions, type ProducerRecord } from "./producer/producer.js";
export type { SendManyResult, SentRange } from "./producer/send-many.js";
export { bytes, json, type Serializer, text } from "./serializers.js";
export { traceContextOf } from "./telemetry/record-context.js";
