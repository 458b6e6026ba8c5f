/**
 * A view of one record batch in a buffer: the header is decoded, the records stay encoded until
 * they are accessed.
 */
import { checkFields, checkLength, checkServerHalf } from "./check-header.js";
import { checkRecords } from "./check-records.js";
import { compressionName } from "./compression.js";
import { crc32c } from "./crc32c.js";
import { BatchTooLargeError, CorruptBatchError } from "./errors.js";
import { readI64, readU16, readU32 } from "./integers.js";
import * as layout from "./layout.js";
import { type BatchLimits, defaultBatchLimits } from "./limits.js";
import type { LogRecord } from "./record.js";
import { RecordCursor } from "./record-cursor.js";
import { type ServerHalf, writeServerHalf } from "./server-half.js";
import { unpack, unpackLater } from "./unpack-records.js";
import { view } from "./view.js";

/** Bytes checksummed between two pauses: about 1 ms of work in plain JavaScript. */
const CHECKSUM_BYTES_A_STEP = 1024 * 1024;

/**
 * A sealed batch of records, as a view of its bytes. `parse` checks the header, `verify` the
 * checksum over the records. Iterating checks each length, and throws a CorruptBatchError if one is
 * wrong.
 */
export class RecordBatch implements Iterable<LogRecord> {
  /** The whole batch, header included, as a view. */
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly recordCount: number;
  readonly #limits: BatchLimits;

  private constructor(bytes: Uint8Array, baseOffset: number, recordCount: number, limits: BatchLimits) {
    this.bytes = bytes;
    this.baseOffset = baseOffset;
    this.recordCount = recordCount;
    this.#limits = limits;
  }

  /**
   * Parses the batch that starts at `bytes[at]`. Checks the header but not the records; see
   * {@link verify}.
   *
   * @throws TruncatedBatchError, ForeignFormatError, UnsupportedFormatVersionError,
   * BatchTooLargeError, CorruptBatchError
   */
  static parse(bytes: Uint8Array, at = 0, limits: BatchLimits = defaultBatchLimits): RecordBatch {
    const length = checkServerHalf(bytes, at, limits);
    const batch = view(bytes, at, at + length);
    checkFields(batch, at);
    const baseOffset = readI64(batch, layout.BASE_OFFSET_OFFSET);
    const parsed = new RecordBatch(batch, baseOffset, readU32(batch, layout.RECORD_COUNT_OFFSET), limits);
    const { recordsLength } = parsed;
    if (recordsLength > limits.maxRecordsBytes) {
      parsed.verify(); // a flipped bit is reported as damage, not as a batch that is too large
      throw new BatchTooLargeError(
        `a batch declares ${recordsLength} bytes of records, and ${limits.maxRecordsBytes} are allowed`,
        {
          byte: at + layout.RECORDS_LENGTH_OFFSET,
          offset: baseOffset,
          expected: limits.maxRecordsBytes,
          actual: recordsLength,
        },
      );
    }
    checkLength(batch, at);
    return parsed;
  }

  /** Offset after the last record: the base offset of the next batch. */
  get nextOffset(): number {
    return this.baseOffset + this.recordCount;
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  /** When a partition accepted the batch, in ms since the epoch; 0 before that. */
  get appendTime(): number {
    return readI64(this.bytes, layout.APPEND_TIME_OFFSET);
  }

  /** Every record below this offset was durable when the batch was written. */
  get flushedUpTo(): number {
    return readI64(this.bytes, layout.FLUSHED_UP_TO_OFFSET);
  }

  /** Timestamp of the first record, in ms since the epoch. */
  get baseTimestamp(): number {
    return readI64(this.bytes, layout.BASE_TIMESTAMP_OFFSET);
  }

  /** -1 for a batch without idempotence. */
  get producerId(): number {
    return readI64(this.bytes, layout.PRODUCER_ID_OFFSET);
  }

  get producerEpoch(): number {
    return readU16(this.bytes, layout.PRODUCER_EPOCH_OFFSET);
  }

  /**
   * Sequence number of the first record in its producer's sequence for the partition, modulo 2^32.
   */
  get baseSequence(): number {
    return readU32(this.bytes, layout.BASE_SEQUENCE_OFFSET);
  }

  /** Length of the records before compression, in bytes. */
  get recordsLength(): number {
    return readU32(this.bytes, layout.RECORDS_LENGTH_OFFSET);
  }

  /** "none", "gzip", "zstd", a registered name, or undefined if the id is not registered. */
  get compression(): string | undefined {
    return compressionName(this.bytes[layout.COMPRESSION_OFFSET]!);
  }

  /**
   * Checks the producer's checksum, which covers all bytes of the records.
   *
   * @throws CorruptBatchError
   */
  verify(): this {
    this.#checkChecksum(crc32c(this.bytes, layout.PRODUCER_ID_OFFSET));
    return this;
  }

  /**
   * Like {@link verify}, but lets the event loop run in between.
   *
   * @param pause awaited between two steps
   * @throws CorruptBatchError
   */
  async verifyLater(pause: () => Promise<void>): Promise<this> {
    const { bytes } = this;
    let checksum = 0;
    for (let start = layout.PRODUCER_ID_OFFSET; start < bytes.length; start += CHECKSUM_BYTES_A_STEP) {
      const end = Math.min(start + CHECKSUM_BYTES_A_STEP, bytes.length);
      checksum = crc32c(bytes, start, end, checksum);
      if (end < bytes.length) await pause();
    }
    this.#checkChecksum(checksum);
    return this;
  }

  #checkChecksum(actual: number): void {
    const expected = readU32(this.bytes, layout.PRODUCER_CRC_OFFSET);
    if (actual === expected) return;
    throw new CorruptBatchError(
      `the checksum of the batch at offset ${this.baseOffset} is ${hex(actual)} and should be ${hex(expected)}: its records are damaged`,
      { offset: this.baseOffset, byte: layout.PRODUCER_CRC_OFFSET },
    );
  }

  /**
   * Fills in the server half, as a partition does when it accepts the batch. Returns the updated
   * batch; this view keeps the old values.
   */
  accept(half: ServerHalf): RecordBatch {
    writeServerHalf(this.bytes, half);
    return new RecordBatch(this.bytes, half.baseOffset, this.recordCount, this.#limits);
  }

  /**
   * Returns a cursor over the records, which allocates no objects. Call {@link verify} first,
   * unless the batch has been verified already.
   *
   * @throws UnsupportedCompressionError, CorruptBatchError
   */
  cursor(): RecordCursor {
    return new RecordCursor(unpack(this, this.#limits), this.baseOffset, this.recordCount, this.baseTimestamp);
  }

  /**
   * Decodes every record to check it. Call {@link verify} first.
   *
   * @throws UnsupportedCompressionError, CorruptBatchError
   */
  checkRecords(): void {
    for (const _ of checkRecords(unpack(this, this.#limits), this));
  }

  /**
   * Like {@link checkRecords}, but lets the event loop run in between: decompresses on another
   * thread where the run-time can, and checks the records in steps.
   *
   * @param pause awaited between two steps
   * @throws UnsupportedCompressionError, CorruptBatchError, InvalidArgumentError
   */
  async checkRecordsLater(pause: () => Promise<void>): Promise<void> {
    const { bytes, release } = await unpackLater(this, this.#limits);
    try {
      for (const _ of checkRecords(bytes, this)) await pause();
    } finally {
      release?.();
    }
  }

  *[Symbol.iterator](): IterableIterator<LogRecord> {
    const cursor = this.cursor();
    while (cursor.next()) yield cursor.record;
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
