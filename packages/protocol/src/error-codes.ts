/** Maps error codes to gRPC status codes. docs/protocol.md shows this table. */

/** The gRPC status codes in use. */
export const GrpcStatus = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** The gRPC status code of each error code. */
export const grpcStatusByErrorCode = {
  CORRUPT_BATCH: GrpcStatus.INVALID_ARGUMENT,
  TRUNCATED_BATCH: GrpcStatus.INVALID_ARGUMENT,
  FOREIGN_FORMAT: GrpcStatus.INVALID_ARGUMENT,
  UNSUPPORTED_FORMAT_VERSION: GrpcStatus.INVALID_ARGUMENT,
  UNSUPPORTED_COMPRESSION: GrpcStatus.INVALID_ARGUMENT,
  RECORD_TOO_LARGE: GrpcStatus.INVALID_ARGUMENT,
  BATCH_TOO_LARGE: GrpcStatus.INVALID_ARGUMENT,
  INVALID_ARGUMENT: GrpcStatus.INVALID_ARGUMENT,
  INVALID_VALUE: GrpcStatus.INVALID_ARGUMENT,
  UNKNOWN_TOPIC: GrpcStatus.NOT_FOUND,
  UNKNOWN_PARTITION: GrpcStatus.NOT_FOUND,
  UNKNOWN_SNAPSHOT: GrpcStatus.NOT_FOUND,
  UNKNOWN_GROUP: GrpcStatus.NOT_FOUND,
  TOPIC_EXISTS: GrpcStatus.ALREADY_EXISTS,
  SNAPSHOT_EXISTS: GrpcStatus.ALREADY_EXISTS,
  OFFSET_OUT_OF_RANGE: GrpcStatus.OUT_OF_RANGE,
  OFFSET_GAP: GrpcStatus.DATA_LOSS,
  INCONSISTENT_TOPIC_ID: GrpcStatus.FAILED_PRECONDITION,
  WRONG_EXPECTED_OFFSET: GrpcStatus.FAILED_PRECONDITION,
  OUT_OF_ORDER_SEQUENCE: GrpcStatus.FAILED_PRECONDITION,
  PRODUCER_FENCED: GrpcStatus.FAILED_PRECONDITION,
  FENCED_MEMBER: GrpcStatus.FAILED_PRECONDITION,
  GROUP_NOT_EMPTY: GrpcStatus.FAILED_PRECONDITION,
  NO_COMMITTED_OFFSET: GrpcStatus.FAILED_PRECONDITION,
  NOT_A_LOG_STORE: GrpcStatus.FAILED_PRECONDITION,
  LOCKED: GrpcStatus.FAILED_PRECONDITION,
  PARTITION_COUNT_MISMATCH: GrpcStatus.FAILED_PRECONDITION,
  PARTITIONER_MISMATCH: GrpcStatus.FAILED_PRECONDITION,
  BUFFER_FULL: GrpcStatus.RESOURCE_EXHAUSTED,
  QUOTA_EXCEEDED: GrpcStatus.RESOURCE_EXHAUSTED,
  GROUP_LIMIT_EXCEEDED: GrpcStatus.RESOURCE_EXHAUSTED,
  RESOURCE_LIMIT_EXCEEDED: GrpcStatus.RESOURCE_EXHAUSTED,
  SLOW_CONSUMER: GrpcStatus.ABORTED,
  UNAUTHENTICATED: GrpcStatus.UNAUTHENTICATED,
  PERMISSION_DENIED: GrpcStatus.PERMISSION_DENIED,
  CORRUPT_PARTITION: GrpcStatus.DATA_LOSS,
  STORAGE_FAILED: GrpcStatus.INTERNAL,
  INTERNAL: GrpcStatus.INTERNAL,
  CLOSED: GrpcStatus.UNAVAILABLE,
  UNAVAILABLE: GrpcStatus.UNAVAILABLE,
  NOT_OWNER: GrpcStatus.UNAVAILABLE,
  DELIVERY_TIMEOUT: GrpcStatus.DEADLINE_EXCEEDED,
} as const;

/** `ErrorDetail` of error.proto. */
export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  readonly offset?: number | undefined;
  readonly group?: string | undefined;
  readonly file?: string | undefined;
  readonly byte?: number | undefined;
  readonly expected?: number | undefined;
  readonly actual?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly address?: string | undefined;
}

/** Trailer that carries a `Status` message, as in gRPC's richer error model. */
export const STATUS_DETAILS_KEY = "grpc-status-details-bin";
/** Type URL of the status detail that contains an error's code and fields. */
export const ERROR_DETAIL_TYPE_URL = "type.googleapis.com/logstore.v1.ErrorDetail";
/**
 * Type of the detail that is added when an error says when to retry, as in gRPC's richer error
 * model.
 */
export const RETRY_INFO_TYPE_URL = "type.googleapis.com/google.rpc.RetryInfo";
