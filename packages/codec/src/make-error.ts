/** Error classes by their code. */
import type { ErrorCode } from "./error-code.js";
import {
  BatchTooLargeError,
  BufferFullError,
  ClosedError,
  CorruptBatchError,
  CorruptPartitionError,
  DeliveryTimeoutError,
  FencedMemberError,
  ForeignFormatError,
  GroupLimitExceededError,
  GroupNotEmptyError,
  InconsistentTopicIdError,
  InternalError,
  InvalidArgumentError,
  InvalidValueError,
  LockedError,
  NoCommittedOffsetError,
  NotALogStoreError,
  NotOwnerError,
  OffsetGapError,
  OffsetOutOfRangeError,
  OutOfOrderSequenceError,
  PartitionCountMismatchError,
  PartitionerMismatchError,
  PermissionDeniedError,
  ProducerFencedError,
  QuotaExceededError,
  RecordTooLargeError,
  ResourceLimitExceededError,
  SlowConsumerError,
  SnapshotExistsError,
  StorageFailedError,
  TopicExistsError,
  TruncatedBatchError,
  UnauthenticatedError,
  UnavailableError,
  UnknownGroupError,
  UnknownPartitionError,
  UnknownSnapshotError,
  UnknownTopicError,
  UnsupportedCompressionError,
  UnsupportedFormatVersionError,
  WrongExpectedOffsetError,
} from "./errors.js";
import type { ErrorClass, ErrorFields, LogStoreError } from "./log-store-error.js";

const errorClasses: { readonly [Code in ErrorCode]: ErrorClass } = {
  CORRUPT_BATCH: CorruptBatchError,
  TRUNCATED_BATCH: TruncatedBatchError,
  FOREIGN_FORMAT: ForeignFormatError,
  UNSUPPORTED_FORMAT_VERSION: UnsupportedFormatVersionError,
  UNSUPPORTED_COMPRESSION: UnsupportedCompressionError,
  RECORD_TOO_LARGE: RecordTooLargeError,
  BATCH_TOO_LARGE: BatchTooLargeError,
  INVALID_ARGUMENT: InvalidArgumentError,
  UNKNOWN_TOPIC: UnknownTopicError,
  TOPIC_EXISTS: TopicExistsError,
  INCONSISTENT_TOPIC_ID: InconsistentTopicIdError,
  UNKNOWN_PARTITION: UnknownPartitionError,
  OFFSET_OUT_OF_RANGE: OffsetOutOfRangeError,
  OFFSET_GAP: OffsetGapError,
  WRONG_EXPECTED_OFFSET: WrongExpectedOffsetError,
  OUT_OF_ORDER_SEQUENCE: OutOfOrderSequenceError,
  PRODUCER_FENCED: ProducerFencedError,
  BUFFER_FULL: BufferFullError,
  CLOSED: ClosedError,
  NOT_A_LOG_STORE: NotALogStoreError,
  LOCKED: LockedError,
  PARTITION_COUNT_MISMATCH: PartitionCountMismatchError,
  PARTITIONER_MISMATCH: PartitionerMismatchError,
  CORRUPT_PARTITION: CorruptPartitionError,
  STORAGE_FAILED: StorageFailedError,
  UNKNOWN_GROUP: UnknownGroupError,
  GROUP_NOT_EMPTY: GroupNotEmptyError,
  FENCED_MEMBER: FencedMemberError,
  SNAPSHOT_EXISTS: SnapshotExistsError,
  UNKNOWN_SNAPSHOT: UnknownSnapshotError,
  UNAUTHENTICATED: UnauthenticatedError,
  PERMISSION_DENIED: PermissionDeniedError,
  QUOTA_EXCEEDED: QuotaExceededError,
  GROUP_LIMIT_EXCEEDED: GroupLimitExceededError,
  RESOURCE_LIMIT_EXCEEDED: ResourceLimitExceededError,
  SLOW_CONSUMER: SlowConsumerError,
  UNAVAILABLE: UnavailableError,
  NOT_OWNER: NotOwnerError,
  DELIVERY_TIMEOUT: DeliveryTimeoutError,
  NO_COMMITTED_OFFSET: NoCommittedOffsetError,
  INVALID_VALUE: InvalidValueError,
  INTERNAL: InternalError,
};

/** All values of {@link ErrorCode}. */
export const errorCodes = Object.keys(errorClasses) as readonly ErrorCode[];

/**
 * Creates the error of a code, as a client does for an error reported by a server. An unknown code
 * becomes an {@link InternalError}.
 */
export function makeError(code: string, message: string, fields?: ErrorFields, options?: ErrorOptions): LogStoreError {
  const known = Object.hasOwn(errorClasses, code);
  const Class = known ? errorClasses[code as ErrorCode] : InternalError;
  return new Class(known ? message : `${code}: ${message}`, fields, options);
}
