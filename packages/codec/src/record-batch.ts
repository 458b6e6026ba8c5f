/**
 * A view of one record batch in a buffer: the header is decoded, the records stay encoded until
 * they are accessed.
 */
import { compressionName, compressor, NO_COMPRESSION } from "./compression.js";
import { crc32c } from "./crc32c.js";
import {
  BatchTooLargeError,
  CorruptBatchError,
  type ErrorFields,
  ForeignFormatError,
  InvalidArgumentError,
  LogStoreError,
  TruncatedBatchError,
  UnsupportedFormatVersionError,
} from "./errors.js";
import { readI64, readU16, readU32 } from "./integers.js";
import * as layout from "./layout.js";
import { type BatchLimits, defaultBatchLimits, MAX_HEADERS_PER_RECORD } from "./limits.js";
import { areOrdinaryRecords } from "./ordinary-records.js";
import type { Unpacked } from "./platform/platform.js";
import type { LogRecord } from "./record.js";
import { RecordCursor } from "./record-cursor.js";
import { type ServerHalf, writeServerHalf } from "./server-half.js";

/** Records and headers checked between two pauses: about 1 ms of work. */
const RECORDS_A_STEP = 50_000;
/** Bytes checksummed between two pauses: about 1 ms of work in plain JavaScript. */
const CHECKSUM_BYTES_A_STEP = 1024 * 1024;

/**
 * A sealed batch of records: a view of its bytes. `parse` checks the header, `verify` the checksum
 * over the records; iterating checks every length on the way and throws CorruptBatchError where one
 * is wrong.
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
    const batch = bytes.subarray(at, at + length);
    const baseOffset = readI64(batch, layout.BASE_OFFSET_OFFSET);
    const recordCount = readU32(batch, layout.RECORD_COUNT_OFFSET);
    const recordsLength = readU32(batch, layout.RECORDS_LENGTH_OFFSET);
    const corrupt = (what: string, byte: number) =>
      new CorruptBatchError(`${what}: the batch is damaged, or was made by faulty software`, {
        byte: at + byte,
        offset: Number.isSafeInteger(baseOffset) ? baseOffset : undefined,
      });
    if (baseOffset < 0 || !Number.isSafeInteger(baseOffset + recordCount)) {
      throw corrupt("offsets are beyond 2^53 - 1", layout.BASE_OFFSET_OFFSET);
    }
    for (const field of [
      layout.APPEND_TIME_OFFSET,
      layout.FLUSHED_UP_TO_OFFSET,
      layout.BASE_TIMESTAMP_OFFSET,
      layout.PRODUCER_ID_OFFSET,
    ]) {
      if (!Number.isSafeInteger(readI64(batch, field))) throw corrupt("a header field is beyond 2^53 - 1", field);
    }
    // The field is unsigned: a value that reads as negative is 2^63 or more.
    if (readI64(batch, layout.FLUSHED_UP_TO_OFFSET) < 0)
      throw corrupt("offsets are beyond 2^53 - 1", layout.FLUSHED_UP_TO_OFFSET);
    if (recordCount === 0 || recordsLength < recordCount * layout.MIN_RECORD_LENGTH) {
      throw corrupt(`${recordsLength} bytes cannot hold ${recordCount} records`, layout.RECORD_COUNT_OFFSET);
    }
    const parsed = new RecordBatch(batch, baseOffset, recordCount, limits);
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
    if (batch[layout.COMPRESSION_OFFSET] === NO_COMPRESSION && length !== layout.HEADER_LENGTH + recordsLength) {
      throw corrupt("batch length and records length contradict each other", layout.RECORDS_LENGTH_OFFSET);
    }
    if (batch[layout.RESERVED_OFFSET] !== 0) throw corrupt("the reserved byte is not 0", layout.RESERVED_OFFSET);
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
    return new RecordCursor(this.#records(), this.baseOffset, this.recordCount, this.baseTimestamp);
  }

  /**
   * Decodes every record to check it. Call {@link verify} first.
   *
   * @throws UnsupportedCompressionError, CorruptBatchError
   */
  checkRecords(): void {
    for (const _ of this.#checking(this.#records()));
  }

  /**
   * Like {@link checkRecords}, but lets the event loop run in between: decompresses on another
   * thread where the run-time can, and checks the records in steps.
   *
   * @param pause awaited between two steps
   * @throws UnsupportedCompressionError, CorruptBatchError, InvalidArgumentError
   */
  async checkRecordsLater(pause: () => Promise<void>): Promise<void> {
    const { bytes, release } = await this.#unpackedLater();
    try {
      for (const _ of this.#checking(bytes)) await pause();
    } finally {
      release?.();
    }
  }

  /** Checks some of the records in each step. */
  *#checking(records: Uint8Array): Generator<void, void> {
    if (areOrdinaryRecords(records, this.recordCount, this.baseTimestamp)) return;
    yield;
    const cursor = new RecordCursor(records, this.baseOffset, this.recordCount, this.baseTimestamp);
    for (let checked = 0; cursor.next(); checked++) {
      if (cursor.hasHeaders) {
        const headers = cursor.countHeaders(MAX_HEADERS_PER_RECORD);
        if (headers > MAX_HEADERS_PER_RECORD) throw tooManyHeaders(cursor.offset);
        checked += headers;
      }
      if (checked < RECORDS_A_STEP) continue;
      checked = 0;
      yield;
    }
  }

  *[Symbol.iterator](): IterableIterator<LogRecord> {
    const cursor = this.cursor();
    while (cursor.next()) yield cursor.record;
  }

  #records(): Uint8Array {
    const stored = this.#stored;
    if (this.#compressionId === NO_COMPRESSION) return stored;
    const length = this.#unpackedLength;
    try {
      return this.#whole(compressor(this.#compressionId).decompress(stored, length), length);
    } catch (cause) {
      throw this.#notUnpacked(cause);
    }
  }

  /** Decompresses the records, on another thread where the run-time can. */
  async #unpackedLater(): Promise<Unpacked> {
    const unpacker = this.#compressionId === NO_COMPRESSION ? undefined : compressor(this.#compressionId);
    if (unpacker?.decompressLater === undefined) return { bytes: this.#records() };
    const length = this.#unpackedLength;
    let unpacked: Unpacked | undefined;
    try {
      unpacked = await unpacker.decompressLater(this.#stored, length);
      this.#whole(unpacked.bytes, length);
      return unpacked;
    } catch (cause) {
      unpacked?.release?.();
      throw this.#notUnpacked(cause);
    }
  }

  get #stored(): Uint8Array {
    return this.bytes.subarray(layout.HEADER_LENGTH);
  }

  get #compressionId(): number {
    return this.bytes[layout.COMPRESSION_OFFSET]!;
  }

  get #unpackedLength(): number {
    return Math.min(this.recordsLength, this.#limits.maxRecordsBytes);
  }

  #whole(records: Uint8Array, length: number): Uint8Array {
    if (records.length === length) return records;
    throw new CorruptBatchError(
      `the records at offset ${this.baseOffset} decompress to ${records.length} bytes, not ${length}`,
      { offset: this.baseOffset, byte: layout.HEADER_LENGTH, expected: length, actual: records.length },
    );
  }

  #notUnpacked(cause: unknown): LogStoreError {
    if (cause instanceof LogStoreError) return cause;
    const fields: ErrorFields = { offset: this.baseOffset, byte: layout.HEADER_LENGTH };
    return new CorruptBatchError(`the records at offset ${this.baseOffset} do not decompress`, fields, { cause });
  }
}

/** Checks every field that the batch length depends on, and returns the length. */
function checkServerHalf(bytes: Uint8Array, at: number, limits: BatchLimits): number {
  const available = bytes.length - at;
  if (available < layout.HEADER_LENGTH) {
    throw new TruncatedBatchError(`${available} bytes are left, and a batch header has ${layout.HEADER_LENGTH}`, {
      byte: at,
      expected: layout.HEADER_LENGTH,
      actual: available,
    });
  }
  if (layout.MAGIC.some((byte, i) => bytes[at + layout.MAGIC_OFFSET + i] !== byte)) {
    throw new ForeignFormatError(`byte ${at} does not start a record batch: these bytes are something else`, {
      byte: at,
    });
  }
  const version = bytes[at + layout.FORMAT_VERSION_OFFSET]!;
  if (version !== layout.FORMAT_VERSION) {
    throw new UnsupportedFormatVersionError(
      `record batch format version ${version} is not known here, only ${layout.FORMAT_VERSION}: use a release that knows it`,
      { byte: at + layout.FORMAT_VERSION_OFFSET, expected: layout.FORMAT_VERSION, actual: version },
    );
  }
  if (crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) !== readU32(bytes, at + layout.SERVER_CRC_OFFSET)) {
    throw new CorruptBatchError("a batch header does not match its checksum: it is damaged", {
      byte: at + layout.SERVER_CRC_OFFSET,
    });
  }
  const length = readU32(bytes, at + layout.BATCH_LENGTH_OFFSET);
  const byte = at + layout.BATCH_LENGTH_OFFSET;
  if (length < layout.MIN_BATCH_LENGTH) throw new CorruptBatchError(`no batch is ${length} bytes long`, { byte });
  if (length > limits.maxBatchBytes) {
    throw new BatchTooLargeError(
      `a batch of ${length} bytes, and ${limits.maxBatchBytes} are allowed: send smaller batches or raise maxBatchBytes`,
      { byte, expected: limits.maxBatchBytes, actual: length },
    );
  }
  if (length > available) {
    throw new TruncatedBatchError(`a batch of ${length} bytes ends after ${available}`, {
      byte,
      expected: length,
      actual: available,
    });
  }
  return length;
}

function tooManyHeaders(offset: number): InvalidArgumentError {
  return new InvalidArgumentError(`a record has more than ${MAX_HEADERS_PER_RECORD} headers: put them into its value`, {
    offset,
    expected: MAX_HEADERS_PER_RECORD,
  });
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
