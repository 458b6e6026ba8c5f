/**
 * The log of one partition, as everything above an engine sees it. docs/engines.md specifies the
 * guarantees of each method.
 */
import type { LogStoreError, RecordBatch } from "@logstore/codec";
import type { Durability, Position } from "@logstore/protocol";

/** The offsets of a log. They never decrease while the log is open. */
export interface LogBounds {
  /** Offset of the first record. */
  readonly logStart: number;
  /** Offset after the last record that may be read. */
  readonly highWatermark: number;
  /** Offset after the last record appended. */
  readonly logEnd: number;
}

/**
 * A range of permanently lost offsets: the first missing one, and the first one after it that
 * exists.
 */
export type Gap = readonly [from: number, to: number];

/** Options of an append to one partition. */
export interface AppendOptions {
  /** Default: that of the topic or the log store. */
  readonly durability?: Durability | undefined;
  /** The append is refused if this is not the log end offset. */
  readonly expectedOffset?: number | undefined;
}

/** Options of an append of sealed batches. */
export interface BatchAppendOptions extends AppendOptions {
  /**
   * Whether nobody else uses the buffer of the batches: the log may free it (`transfer(0)`) once it
   * has acknowledged the append. Default false.
   */
  readonly isOwned?: boolean | undefined;
}

/** The result of an append. */
export interface Appended {
  /** Offset of the first record. */
  readonly baseOffset: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
  /** The durability that was reached. */
  readonly durability: Durability;
  /** Whether all of its batches had been appended before. */
  readonly duplicate: boolean;
}

/** Options of one read. */
export interface ReadOptions {
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** Largest size to read, in bytes, unless the first batch alone is larger. */
  readonly maxBytes: number;
  /**
   * Whether a larger first batch is refused with {@link BatchTooLongToRead}, which leaves the
   * reader at its position. Default false.
   */
  readonly isStrict?: boolean | undefined;
  /** Batches that begin at or after this offset are not read. Default: none. */
  readonly until?: number | undefined;
}

/** Whole batches, in a buffer that belongs to the caller. */
export interface Chunk {
  /**
   * The batches. Their headers are checked, their records are not. The first one may begin before
   * the requested offset.
   */
  readonly bytes: Uint8Array;
  /** At least this many bytes before `bytes` in its buffer are free. */
  readonly headroomBytes: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
}

/** Thrown by a strict read if its first batch alone is larger than `maxBytes`. */
export class BatchTooLongToRead extends Error {
  /** Length that the batch declares. */
  readonly byteLength: number;

  constructor(byteLength: number) {
    super(`a batch of ${byteLength} bytes`);
    this.byteLength = byteLength;
  }
}

/** Reads a log sequentially. Only one call of `next` may be in progress. */
export interface LogReader {
  /** Offset of the next record to read. */
  readonly offset: number;
  /**
   * Returns the next batches; undefined at the high watermark and at `until`.
   *
   * @throws OffsetOutOfRangeError if the records have been deleted; CorruptPartitionError,
   * StorageFailedError, ClosedError, UnavailableError; {@link BatchTooLongToRead} if the read is
   * strict
   */
  next(options: ReadOptions): Promise<Chunk | undefined>;
  /**
   * Does what `next` does if that is possible at once, within `maxBytes` even for the first batch.
   * Otherwise returns "later", and `next` has to be called.
   */
  nextNow?(options: ReadOptions): Chunk | undefined | "later";
}

/** The log of one partition. */
export interface PartitionLog {
  readonly partition: number;
  readonly offsets: LogBounds;
  /** Ranges of permanently lost offsets, sorted. Readers skip them. */
  readonly gaps: readonly Gap[];
  /**
   * Offset after the last record that is known to have been appended. Higher than `offsets.logEnd`
   * only if the log is damaged.
   */
  readonly knownEnd: number;
  /**
   * Damage found when the log was opened: readers cannot read beyond it, and the log accepts no
   * appends.
   */
  readonly damage: LogStoreError | undefined;
  /** {@link damage}, or the first damage that a read has found since. */
  readonly knownDamage: LogStoreError | undefined;
  /**
   * Why the log accepts no more appends until it is reopened. Undefined if it accepts them, and
   * while the outcome of an append is not known yet.
   */
  readonly failure: LogStoreError | undefined;
  readonly isClosed: boolean;

  /**
   * Appends sealed batches, all or none. The log keeps `bytes`, and fills in their server halves.
   * It changes nothing else of them, so that the caller can copy them for another attempt.
   *
   * @throws the errors of `validateBatches`, WrongExpectedOffsetError, OutOfOrderSequenceError,
   * ProducerFencedError, BufferFullError, InvalidArgumentError, ClosedError, CorruptPartitionError:
   * the append is refused, and has no effect
   * @throws StorageFailedError if the log has failed: whether the batches are in it is known after
   * a reopen
   * @throws UnavailableError if the outcome is not known yet: append the same batches again
   */
  appendBatches(bytes: Uint8Array, options?: BatchAppendOptions): Promise<Appended>;

  /**
   * Returns a reader that starts at an offset.
   *
   * @throws OffsetOutOfRangeError if the offset is out of bounds; the log's damage if that is the
   * reason
   */
  reader(offset: number): LogReader;

  /**
   * Resolves a position to an offset, as of now. An offset resolves to itself, whether or not it is
   * within bounds.
   *
   * @throws InvalidArgumentError, CorruptPartitionError, StorageFailedError, ClosedError,
   * UnavailableError
   */
  resolve(position: Position): Promise<number>;

  /**
   * Append time of the record at this offset, in ms since the epoch; undefined if it is not known.
   */
  appendTimeAt(offset: number): Promise<number | undefined>;

  /**
   * Resolves to true when the high watermark is above `offset`, the log is closed or `signal`
   * aborts; to false after `timeoutMs`.
   */
  waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean>;

  /**
   * Updates bounds that another process may have changed. Returns undefined if this process is the
   * only writer and its bounds are exact.
   */
  refresh(): Promise<void> | undefined;

  /**
   * Deletes all records before `offset`; resolves when that is durable.
   *
   * @throws OffsetOutOfRangeError above the high watermark; InvalidArgumentError, ClosedError,
   * StorageFailedError, CorruptPartitionError, UnavailableError
   */
  deleteRecords(offset: number): Promise<void>;

  /** Applies the topic's retention now, in addition to the engine's periodic checks. */
  applyRetention(): Promise<void>;

  /**
   * Records that a batch is corrupt, and returns the error to throw.
   *
   * @param chunk the chunk in which the batch was read, or a copy of it
   */
  noteCorrupt(batch: RecordBatch, chunk: Chunk, cause: Error): LogStoreError;

  /** Completes all accepted appends, then closes. Acknowledged appends are never lost. */
  close(): Promise<void>;
}
