/**
 * All error classes of LogStore, for every package. They are defined here because every other
 * package depends on this one, and because an error has the same class whether a log is embedded or
 * served: the client recreates it from its code and fields.
 *
 * Codes never change between major versions; messages may.
 */

/**
 * Details of an error: where it occurred and the values involved. Each field is set only if known.
 */
export interface ErrorFields {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  /** Offset of the record or batch. */
  readonly offset?: number | undefined;
  readonly group?: string | undefined;
  /** File name, relative to the store's directory if it is inside it. */
  readonly file?: string | undefined;
  /** Byte position in the file or buffer. */
  readonly byte?: number | undefined;
  /** The requested value or the limit, where a comparison failed. */
  readonly expected?: number | undefined;
  /** The value found instead of `expected`. */
  readonly actual?: number | undefined;
  /** How long to wait before a retry, in ms. */
  readonly retryAfterMs?: number | undefined;
}

const FIELD_NAMES = [
  "topic",
  "partition",
  "offset",
  "group",
  "file",
  "byte",
  "expected",
  "actual",
  "retryAfterMs",
] as const satisfies readonly (keyof ErrorFields)[];

/** The base class of every error of LogStore. Programs tell errors apart by `code` or by class. */
export abstract class LogStoreError extends Error implements ErrorFields {
  /** Stable code of the error; see {@link ErrorCode}. */
  abstract readonly code: ErrorCode;
  // Only fields that were given become own properties, so that a printed error shows no undefined
  // fields.
  static {
    const absent = Object.fromEntries(FIELD_NAMES.map((name) => [name, { value: undefined, writable: true }]));
    Object.defineProperties(LogStoreError.prototype, absent);
  }
  declare readonly topic: string | undefined;
  declare readonly partition: number | undefined;
  declare readonly offset: number | undefined;
  declare readonly group: string | undefined;
  declare readonly file: string | undefined;
  declare readonly byte: number | undefined;
  declare readonly expected: number | undefined;
  declare readonly actual: number | undefined;
  declare readonly retryAfterMs: number | undefined;

  constructor(message: string, fields: ErrorFields = {}, options?: ErrorOptions) {
    // An undefined cause would be printed, too.
    super(message, options?.cause === undefined ? undefined : options);
    // Not enumerable, as in Node's own errors: the stack contains the name already.
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
    Object.assign(this, given(fields));
  }

  /** The fields that were given. */
  get fields(): ErrorFields {
    return given(this);
  }

  /**
   * Returns a copy of the error with further fields, for a caller that knows more about where the
   * error occurred.
   */
  with(fields: ErrorFields): LogStoreError {
    return makeError(this.code, this.message, { ...this.fields, ...fields }, { cause: this });
  }
}

function given(fields: ErrorFields): ErrorFields {
  const values: { -readonly [Name in keyof ErrorFields]: unknown } = {};
  for (const name of FIELD_NAMES) if (fields[name] !== undefined) values[name] = fields[name];
  return values as ErrorFields;
}

// Batches and records
/** The bytes are inconsistent: a checksum, a length or a count is wrong. */
export class CorruptBatchError extends LogStoreError {
  override readonly code = "CORRUPT_BATCH";
}
/** The buffer or file ends before the batch does. */
export class TruncatedBatchError extends LogStoreError {
  override readonly code = "TRUNCATED_BATCH";
}
/** The bytes are not a LogStore record batch. */
export class ForeignFormatError extends LogStoreError {
  override readonly code = "FOREIGN_FORMAT";
}
/** The batch has a format version that this release does not support. `actual` is the version. */
export class UnsupportedFormatVersionError extends LogStoreError {
  override readonly code = "UNSUPPORTED_FORMAT_VERSION";
}
/**
 * A batch uses a compression that is not registered in this process; see
 * {@link registerCompression}.
 */
export class UnsupportedCompressionError extends LogStoreError {
  override readonly code = "UNSUPPORTED_COMPRESSION";
}
/** The record has `actual` bytes, of at most `expected`. */
export class RecordTooLargeError extends LogStoreError {
  override readonly code = "RECORD_TOO_LARGE";
}
/** The batch has `actual` bytes, of at most `expected`. */
export class BatchTooLargeError extends LogStoreError {
  override readonly code = "BATCH_TOO_LARGE";
}

// Calls
/** An argument or option is invalid: out of range or of the wrong type. */
export class InvalidArgumentError extends LogStoreError {
  override readonly code = "INVALID_ARGUMENT";
}
/** The topic does not exist. */
export class UnknownTopicError extends LogStoreError {
  override readonly code = "UNKNOWN_TOPIC";
}
/** A topic of this name already exists. */
export class TopicExistsError extends LogStoreError {
  override readonly code = "TOPIC_EXISTS";
}
/**
 * The topic was deleted and recreated since the caller learnt its id. A request for the old topic
 * is not applied to the new one.
 */
export class InconsistentTopicIdError extends LogStoreError {
  override readonly code = "INCONSISTENT_TOPIC_ID";
}
/** The topic has `expected` partitions; the requested one does not exist. */
export class UnknownPartitionError extends LogStoreError {
  override readonly code = "UNKNOWN_PARTITION";
}
/**
 * The offset is below the log start offset or above the high watermark; `expected` is the nearest
 * valid offset.
 */
export class OffsetOutOfRangeError extends LogStoreError {
  override readonly code = "OFFSET_OUT_OF_RANGE";
}
/**
 * The next batch begins at `actual`, after the `expected` offset, and no event has reported the
 * records between them as deleted or lost. No record after the gap is delivered. The log may still
 * contain the missing records.
 */
export class OffsetGapError extends LogStoreError {
  override readonly code = "OFFSET_GAP";
}
/** The log end offset is `actual`, not `expected`. */
export class WrongExpectedOffsetError extends LogStoreError {
  override readonly code = "WRONG_EXPECTED_OFFSET";
}
/**
 * A producer's batch does not continue its sequence: it has sequence number `actual`, and
 * `expected` is next.
 */
export class OutOfOrderSequenceError extends LogStoreError {
  override readonly code = "OUT_OF_ORDER_SEQUENCE";
}
/** A producer with a newer epoch (`expected`) has replaced this one (epoch `actual`). */
export class ProducerFencedError extends LogStoreError {
  override readonly code = "PRODUCER_FENCED";
}
/** The buffer is full: `actual` of `expected` bytes are waiting, and no more are accepted. */
export class BufferFullError extends LogStoreError {
  override readonly code = "BUFFER_FULL";
}
/** The store, partition, producer, consumer or client is closed. */
export class ClosedError extends LogStoreError {
  override readonly code = "CLOSED";
}

// Stores
/** The directory contains something other than a log store or a broker's data. */
export class NotALogStoreError extends LogStoreError {
  override readonly code = "NOT_A_LOG_STORE";
}
/** The directory is locked by another process, or by another store in this process. */
export class LockedError extends LogStoreError {
  override readonly code = "LOCKED";
}
/** The store has `actual` partitions, not `expected`. */
export class PartitionCountMismatchError extends LogStoreError {
  override readonly code = "PARTITION_COUNT_MISMATCH";
}
/** The store was created with a different partitioner. */
export class PartitionerMismatchError extends LogStoreError {
  override readonly code = "PARTITIONER_MISMATCH";
}
/**
 * A file contains data that was durable and is now damaged. Nothing was truncated; other partitions
 * are available.
 */
export class CorruptPartitionError extends LogStoreError {
  override readonly code = "CORRUPT_PARTITION";
}
/** A write or fsync failed. The partition accepts no appends until the store is reopened. */
export class StorageFailedError extends LogStoreError {
  override readonly code = "STORAGE_FAILED";
}
// Groups
/** The group does not exist. */
export class UnknownGroupError extends LogStoreError {
  override readonly code = "UNKNOWN_GROUP";
}
/** The group has members, and the operation requires an empty group. */
export class GroupNotEmptyError extends LogStoreError {
  override readonly code = "GROUP_NOT_EMPTY";
}
/**
 * The member was removed from the group, has an outdated epoch, or does not own the partition.
 * Another member may be processing it.
 */
export class FencedMemberError extends LogStoreError {
  override readonly code = "FENCED_MEMBER";
}

// Snapshots
/** A snapshot of this name exists, or another process is creating one at the same place. */
export class SnapshotExistsError extends LogStoreError {
  override readonly code = "SNAPSHOT_EXISTS";
}
/** The snapshot does not exist. */
export class UnknownSnapshotError extends LogStoreError {
  override readonly code = "UNKNOWN_SNAPSHOT";
}

// Servers
/** The caller presented no credentials, or credentials that are not valid now. */
export class UnauthenticatedError extends LogStoreError {
  override readonly code = "UNAUTHENTICATED";
}
/** The caller is authenticated but lacks the permission. */
export class PermissionDeniedError extends LogStoreError {
  override readonly code = "PERMISSION_DENIED";
}
/** The caller exceeds its quota; it may continue after `retryAfterMs`. */
export class QuotaExceededError extends LogStoreError {
  override readonly code = "QUOTA_EXCEEDED";
}
/**
 * Consumer groups, of the server or of one principal, would exceed their limit: `actual` with this
 * request, of at most `expected`. Delete groups, or raise the limit that the message names.
 */
export class GroupLimitExceededError extends LogStoreError {
  override readonly code = "GROUP_LIMIT_EXCEEDED";
}
/**
 * The server, or one principal on it, would exceed a limit on connections, topics, partitions or
 * snapshots: `actual` with this request, of at most `expected`.
 */
export class ResourceLimitExceededError extends LogStoreError {
  override readonly code = "RESOURCE_LIMIT_EXCEEDED";
}
/**
 * The server closed a stream whose reader accepted nothing for too long. The reader may reopen it
 * at the same position.
 */
export class SlowConsumerError extends LogStoreError {
  override readonly code = "SLOW_CONSUMER";
}

// Clients
/** The server is unreachable or draining. The outcome of requests in flight is unknown. */
export class UnavailableError extends LogStoreError {
  override readonly code = "UNAVAILABLE";
}
/** A send was not acknowledged in time. Its records may or may not have been appended. */
export class DeliveryTimeoutError extends LogStoreError {
  override readonly code = "DELIVERY_TIMEOUT";
}
/**
 * The group has no committed offset for a partition, and its consumer is configured not to choose a
 * start position.
 */
export class NoCommittedOffsetError extends LogStoreError {
  override readonly code = "NO_COMMITTED_OFFSET";
}
/** A value does not conform to its schema or serializer. */
export class InvalidValueError extends LogStoreError {
  override readonly code = "INVALID_VALUE";
}
/** A defect in LogStore, or a peer that does not follow the protocol. */
export class InternalError extends LogStoreError {
  override readonly code = "INTERNAL";
}

/** Stable code of an error class. */
export type ErrorCode =
  | "CORRUPT_BATCH"
  | "TRUNCATED_BATCH"
  | "FOREIGN_FORMAT"
  | "UNSUPPORTED_FORMAT_VERSION"
  | "UNSUPPORTED_COMPRESSION"
  | "RECORD_TOO_LARGE"
  | "BATCH_TOO_LARGE"
  | "INVALID_ARGUMENT"
  | "UNKNOWN_TOPIC"
  | "TOPIC_EXISTS"
  | "INCONSISTENT_TOPIC_ID"
  | "UNKNOWN_PARTITION"
  | "OFFSET_OUT_OF_RANGE"
  | "OFFSET_GAP"
  | "WRONG_EXPECTED_OFFSET"
  | "OUT_OF_ORDER_SEQUENCE"
  | "PRODUCER_FENCED"
  | "BUFFER_FULL"
  | "CLOSED"
  | "NOT_A_LOG_STORE"
  | "LOCKED"
  | "PARTITION_COUNT_MISMATCH"
  | "PARTITIONER_MISMATCH"
  | "CORRUPT_PARTITION"
  | "STORAGE_FAILED"
  | "UNKNOWN_GROUP"
  | "GROUP_NOT_EMPTY"
  | "FENCED_MEMBER"
  | "SNAPSHOT_EXISTS"
  | "UNKNOWN_SNAPSHOT"
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "QUOTA_EXCEEDED"
  | "GROUP_LIMIT_EXCEEDED"
  | "RESOURCE_LIMIT_EXCEEDED"
  | "SLOW_CONSUMER"
  | "UNAVAILABLE"
  | "DELIVERY_TIMEOUT"
  | "NO_COMMITTED_OFFSET"
  | "INVALID_VALUE"
  | "INTERNAL";

type ErrorClass = new (message: string, fields?: ErrorFields, options?: ErrorOptions) => LogStoreError;

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
