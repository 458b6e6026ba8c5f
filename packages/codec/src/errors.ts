/**
 * Every error that LogStore raises, in every package. They live here because everything else speaks
 * of records, and because an error must be the same class whether a log is embedded or served: the
 * client makes it again from its code and fields.
 *
 * Codes never change between major versions; messages may.
 */

/** Where and what went wrong, as far as it is known. */
export interface ErrorFields {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  /** Offset of the record or batch concerned. */
  readonly offset?: number | undefined;
  readonly group?: string | undefined;
  /** File concerned, relative to the store's directory where there is one. */
  readonly file?: string | undefined;
  /** Position in the file or buffer. */
  readonly byte?: number | undefined;
  /** What the caller asked for or the limit that holds, where one was compared. */
  readonly expected?: number | undefined;
  /** What was found instead. */
  readonly actual?: number | undefined;
  /** When it may be tried again, ms from now. */
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
  /** Stable; see {@link ErrorCode}. */
  abstract readonly code: ErrorCode;
  // An error has own properties for the fields that were given only, so that printing it shows no
  // undefined ones.
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
    // A cause that is undefined would be printed, too.
    super(message, options?.cause === undefined ? undefined : options);
    // Not enumerable, as in Node's own errors: the stack shows the name already.
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
    Object.assign(this, given(fields));
  }

  /** The fields that were given. */
  get fields(): ErrorFields {
    return given(this);
  }

  /** The same error, told by someone who knows more of where it happened. */
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
/** Bytes that contradict themselves: a checksum, a length or a count is wrong. */
export class CorruptBatchError extends LogStoreError {
  override readonly code = "CORRUPT_BATCH";
}
/** Fewer bytes than the batch says it has. */
export class TruncatedBatchError extends LogStoreError {
  override readonly code = "TRUNCATED_BATCH";
}
/** Not a record batch of ours at all. */
export class ForeignFormatError extends LogStoreError {
  override readonly code = "FOREIGN_FORMAT";
}
/** Ours, but of a format version that this release does not know. `actual` is the version. */
export class UnsupportedFormatVersionError extends LogStoreError {
  override readonly code = "UNSUPPORTED_FORMAT_VERSION";
}
/** A batch uses a compression that is not available here; see {@link registerCompression}. */
export class UnsupportedCompressionError extends LogStoreError {
  override readonly code = "UNSUPPORTED_COMPRESSION";
}
/** `actual` bytes where `expected` are allowed. */
export class RecordTooLargeError extends LogStoreError {
  override readonly code = "RECORD_TOO_LARGE";
}
/** `actual` bytes where `expected` are allowed. */
export class BatchTooLargeError extends LogStoreError {
  override readonly code = "BATCH_TOO_LARGE";
}

// Calls
/** The caller's mistake: a value out of its range or of the wrong kind. */
export class InvalidArgumentError extends LogStoreError {
  override readonly code = "INVALID_ARGUMENT";
}
/** There is no topic of that name. */
export class UnknownTopicError extends LogStoreError {
  override readonly code = "UNKNOWN_TOPIC";
}
/** A topic of that name exists. */
export class TopicExistsError extends LogStoreError {
  override readonly code = "TOPIC_EXISTS";
}
/**
 * The topic was deleted and made again since its id was learnt: what was meant for the old one is
 * not done to the new one.
 */
export class InconsistentTopicIdError extends LogStoreError {
  override readonly code = "INCONSISTENT_TOPIC_ID";
}
/** `expected` partitions exist. */
export class UnknownPartitionError extends LogStoreError {
  override readonly code = "UNKNOWN_PARTITION";
}
/**
 * The offset is before the log start offset or past the high watermark; `expected` is the nearest
 * that is not.
 */
export class OffsetOutOfRangeError extends LogStoreError {
  override readonly code = "OFFSET_OUT_OF_RANGE";
}
/**
 * The next batch begins at `actual`, beyond the `expected` offset, and nothing said that the
 * records between are gone. Nothing behind the gap is handed out. The log may still hold the
 * records.
 */
export class OffsetGapError extends LogStoreError {
  override readonly code = "OFFSET_GAP";
}
/** The log end offset is `actual`, not the `expected` one. */
export class WrongExpectedOffsetError extends LogStoreError {
  override readonly code = "WRONG_EXPECTED_OFFSET";
}
/** A producer's batch does not follow its last one: sequence `actual` where `expected` is next. */
export class OutOfOrderSequenceError extends LogStoreError {
  override readonly code = "OUT_OF_ORDER_SEQUENCE";
}
/** A producer with a newer epoch (`expected`) has taken over from this one (`actual`). */
export class ProducerFencedError extends LogStoreError {
  override readonly code = "PRODUCER_FENCED";
}
/** So much waits already (`actual` bytes of `expected`) that nothing more is taken in. */
export class BufferFullError extends LogStoreError {
  override readonly code = "BUFFER_FULL";
}
/** The store, partition, producer, consumer or client was closed. */
export class ClosedError extends LogStoreError {
  override readonly code = "CLOSED";
}

// Stores
/** The directory holds something else than a log store or a broker's data. */
export class NotALogStoreError extends LogStoreError {
  override readonly code = "NOT_A_LOG_STORE";
}
/** Another process, or another part of this one, writes to the directory. */
export class LockedError extends LogStoreError {
  override readonly code = "LOCKED";
}
/** The store has `actual` partitions, not `expected`. */
export class PartitionCountMismatchError extends LogStoreError {
  override readonly code = "PARTITION_COUNT_MISMATCH";
}
/** The store was made with another partitioner than the one it is opened with. */
export class PartitionerMismatchError extends LogStoreError {
  override readonly code = "PARTITIONER_MISMATCH";
}
/**
 * A file holds something that was once durable and is no longer whole. Nothing was cut; other
 * partitions serve.
 */
export class CorruptPartitionError extends LogStoreError {
  override readonly code = "CORRUPT_PARTITION";
}
/** A write or fsync failed. The partition takes no more appends until the store is opened again. */
export class StorageFailedError extends LogStoreError {
  override readonly code = "STORAGE_FAILED";
}
// Groups
/** There is no group of that name. */
export class UnknownGroupError extends LogStoreError {
  override readonly code = "UNKNOWN_GROUP";
}
/** The group has members, and what was asked for needs it to have none. */
export class GroupNotEmptyError extends LogStoreError {
  override readonly code = "GROUP_NOT_EMPTY";
}
/**
 * The member is none any more, or not at this epoch, or does not own the partition: somebody else
 * works on it.
 */
export class FencedMemberError extends LogStoreError {
  override readonly code = "FENCED_MEMBER";
}

// Snapshots
/** A snapshot of that name exists, or another process makes one at the same place. */
export class SnapshotExistsError extends LogStoreError {
  override readonly code = "SNAPSHOT_EXISTS";
}
/** The topic has no snapshot of that name. */
export class UnknownSnapshotError extends LogStoreError {
  override readonly code = "UNKNOWN_SNAPSHOT";
}

// Servers
/** Nobody knows who calls: no credentials, or none that are valid now. */
export class UnauthenticatedError extends LogStoreError {
  override readonly code = "UNAUTHENTICATED";
}
/** Who calls is known, and may not do this. */
export class PermissionDeniedError extends LogStoreError {
  override readonly code = "PERMISSION_DENIED";
}
/** The caller does more than its quota allows; it may go on in `retryAfterMs`. */
export class QuotaExceededError extends LogStoreError {
  override readonly code = "QUOTA_EXCEEDED";
}
/**
 * Consumer groups hold as much as they may, of the server or of one principal: `actual` with what
 * was asked for, where `expected` may be. Delete groups, or raise the limit that the message names.
 */
export class GroupLimitExceededError extends LogStoreError {
  override readonly code = "GROUP_LIMIT_EXCEEDED";
}
/**
 * The server, or one principal there, has as many of something as it may: connections, topics,
 * partitions, snapshots. `actual` with what was asked for, where `expected` may be.
 */
export class ResourceLimitExceededError extends LogStoreError {
  override readonly code = "RESOURCE_LIMIT_EXCEEDED";
}
/**
 * A stream whose reader took nothing for too long was cut off. It may be opened again where it was.
 */
export class SlowConsumerError extends LogStoreError {
  override readonly code = "SLOW_CONSUMER";
}

// Clients
/** The server cannot be reached, or is draining. Nothing is known of requests under way. */
export class UnavailableError extends LogStoreError {
  override readonly code = "UNAVAILABLE";
}
/** A send was not acknowledged in time. Its records may or may not have been appended. */
export class DeliveryTimeoutError extends LogStoreError {
  override readonly code = "DELIVERY_TIMEOUT";
}
/** A group committed nothing for a partition, and its consumer is not to choose where to begin. */
export class NoCommittedOffsetError extends LogStoreError {
  override readonly code = "NO_COMMITTED_OFFSET";
}
/** A value does not fit its schema or serializer. */
export class InvalidValueError extends LogStoreError {
  override readonly code = "INVALID_VALUE";
}
/** A defect of ours, or a peer that does not speak the protocol. */
export class InternalError extends LogStoreError {
  override readonly code = "INTERNAL";
}

/** Every code there is. */
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
 * The error of a code: how a client raises again what a server told it. An unknown code becomes an
 * {@link InternalError}.
 */
export function makeError(code: string, message: string, fields?: ErrorFields, options?: ErrorOptions): LogStoreError {
  const known = Object.hasOwn(errorClasses, code);
  const Class = known ? errorClasses[code as ErrorCode] : InternalError;
  return new Class(known ? message : `${code}: ${message}`, fields, options);
}
