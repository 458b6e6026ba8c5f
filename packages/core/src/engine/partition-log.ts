/**
 * The log of one partition as everything above an engine sees it. docs/engines.md says what each
 * method promises.
 */
import type { LogStoreError, RecordBatch } from "@logstore/codec";
import type { Durability, Position } from "@logstore/protocol";

/** The offsets of a log. They never decrease while the log is open. */
export interface LogBounds {
  /** Offset of the first record. */
  readonly logStart: number;
  /** One past the last record that may be read. */
  readonly highWatermark: number;
  /** One past the last record appended. */
  readonly logEnd: number;
}

/** Offsets that are lost for good: the first missing one, and the first one after them. */
export type Gap = readonly [from: number, to: number];

/** Options of an append to one partition. */
export interface AppendOptions {
  /** Default: the topic's, or the log store's. */
  readonly durability?: Durability | undefined;
  /** The append is refused unless this is the log end offset. */
  readonly expectedOffset?: number | undefined;
}

/** Where an append's records went. */
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
  /** Most bytes to read, unless the first batch alone is longer. */
  readonly maxBytes: number;
  /**
   * Whether such a batch is refused with {@link BatchTooLongToRead}, which leaves the reader where
   * it is. Default false.
   */
  readonly isStrict?: boolean | undefined;
  /** Batches that begin at this offset or later are left out. Default: none. */
  readonly until?: number | undefined;
}

/** Whole batches, in a buffer that belongs to the caller. */
export interface Chunk {
  /**
   * The batches. Their headers are checked, their records are not. The first may begin before the
   * offset that was asked for.
   */
  readonly bytes: Uint8Array;
  /** At least so many bytes before `bytes` in its buffer are free. */
  readonly headroomBytes: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
}

/** Thrown by a strict read whose first batch alone is longer than `maxBytes`. */
export class BatchTooLongToRead extends Error {
  /** Length that the batch declares. */
  readonly byteLength: number;

  constructor(byteLength: number) {
    super(`a batch of ${byteLength} bytes`);
    this.byteLength = byteLength;
  }
}

/** Reads a log in order, and remembers its place. One call of `next` at a time. */
export interface LogReader {
  /** Offset of the next record to be read. */
  readonly offset: number;
  /**
   * Returns the next batches, or undefined at the high watermark and at `until`.
   *
   * @throws OffsetOutOfRangeError where the records were deleted since; CorruptPartitionError,
   * StorageFailedError, ClosedError, UnavailableError; {@link BatchTooLongToRead} where the read is
   * strict
   */
  next(options: ReadOptions): Promise<Chunk | undefined>;
}

/** The log of one partition. */
export interface PartitionLog {
  readonly partition: number;
  readonly offsets: LogBounds;
  /** Offsets that are lost for good. Readers pass over them. Sorted. */
  readonly gaps: readonly Gap[];
  /**
   * One past the last record that is known to have been appended. Beyond `offsets.logEnd` only
   * where the log is damaged.
   */
  readonly knownEnd: number;
  /**
   * Damage that was found when the log was opened: the log ends there for readers, and takes no
   * appends.
   */
  readonly damage: LogStoreError | undefined;
  /** {@link damage}, or the first damage that a read has come upon since. */
  readonly knownDamage: LogStoreError | undefined;
  /**
   * Why the log takes no more appends until it is opened again. Undefined while it takes them, and
   * while the outcome of an append is not known yet.
   */
  readonly failure: LogStoreError | undefined;
  readonly isClosed: boolean;

  /**
   * Appends sealed batches as a whole. The log owns `bytes` from here on.
   *
   * @throws a refusal, and nothing is appended: what `validateBatches` throws,
   * WrongExpectedOffsetError, OutOfOrderSequenceError, ProducerFencedError, BufferFullError,
   * InvalidArgumentError, ClosedError, CorruptPartitionError
   * @throws StorageFailedError where the log has failed: whether the batches are in it is known
   * when it is opened again
   * @throws UnavailableError where the outcome is not known yet: append the same batches again
   */
  appendBatches(bytes: Uint8Array, options?: AppendOptions): Promise<Appended>;

  /**
   * @throws OffsetOutOfRangeError where the log does not have the offset; its damage where that is
   * why
   */
  reader(offset: number): LogReader;

  /**
   * The offset that a position means now. An offset resolves to itself, whether the log has it or
   * not.
   *
   * @throws InvalidArgumentError, CorruptPartitionError, StorageFailedError, ClosedError,
   * UnavailableError
   */
  resolve(position: Position): Promise<number>;

  /** Append time of the record with this offset, ms since the epoch; undefined where unknown. */
  appendTimeAt(offset: number): Promise<number | undefined>;

  /**
   * Resolves when the high watermark is beyond `offset`, the log is closed, `signal` aborts, or
   * after `timeoutMs`: to false in the last case only.
   */
  waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean>;

  /**
   * Learns bounds that another process has moved. Undefined where this process is the only writer
   * and its bounds are exact.
   */
  refresh(): Promise<void> | undefined;

  /**
   * Deletes every record before `offset`; resolves when that is durable.
   *
   * @throws OffsetOutOfRangeError beyond the high watermark; InvalidArgumentError, ClosedError,
   * StorageFailedError, CorruptPartitionError, UnavailableError
   */
  deleteRecords(offset: number): Promise<void>;

  /** Deletes now what the topic's retention says; otherwise the engine does it by itself. */
  applyRetention(): Promise<void>;

  /**
   * Notes that the records of a batch are corrupt, and returns the error to throw.
   *
   * @param chunk the one that the batch was read in, or a copy of it
   */
  noteCorrupt(batch: RecordBatch, chunk: Chunk, cause: Error): LogStoreError;

  /** Settles every append that was taken, then closes. Never rejects what was acknowledged. */
  close(): Promise<void>;
}
