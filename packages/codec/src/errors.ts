/**
 * All error classes of LogStore, for every package. They are defined here because every other
 * package depends on this one, and because an error has the same class whether a log is embedded or
 * served: the client recreates it from its code and fields.
 *
 * Codes never change between major versions; messages may.
 */
import { LogStoreError } from "./log-store-error.js";

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
/**
 * Another broker owns the partition, or the group's journal: the one at `address`, if it is known.
 * The call had no effect.
 */
export class NotOwnerError extends LogStoreError {
  override readonly code = "NOT_OWNER";
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
