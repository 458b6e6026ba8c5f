/** Builds sealed batches from records. The only place where records are encoded. */
import { platform } from "#platform";
import { type CompressionName, compressionId, compressor, NO_COMPRESSION } from "./compression.js";
import { crc32c } from "./crc32c.js";
import { InvalidArgumentError, RecordTooLargeError } from "./errors.js";
import { writeI64, writeU16, writeU32 } from "./integers.js";
import * as layout from "./layout.js";
import { type BatchLimits, defaultBatchLimits, MAX_RECORDS_PER_BATCH } from "./limits.js";
import type { Bytes, HeaderInput, RecordInput } from "./record.js";
import { writeServerHalf } from "./server-half.js";
import { varintLength, writeVarint, zigzag } from "./varint.js";
import { byteLengthOf, headersLength, writeBytes, writeHeaders } from "./write-parts.js";

/** Options of {@link RecordBatchBuilder}. */
export interface RecordBatchBuilderOptions {
  /**
   * Target size of a batch before compression: a record that would exceed it goes into the next
   * batch, unless it is the first of its batch. Default 1 MiB.
   */
  readonly targetBytes?: number;
  /** Default "none". Records that do not shrink are stored uncompressed. */
  readonly compression?: CompressionName;
  readonly limits?: BatchLimits;
  /** Bytes left free before a sealed batch in its buffer, for a transport's framing. Default 0. */
  readonly headroomBytes?: number;
  /** Expected length of the first batch; avoids growing the buffer step by step. Default 1 KiB. */
  readonly expectedBytes?: number;
}

/**
 * Identifies the producer and the position of the batch in its sequence; see
 * docs/format/record-batch.md.
 */
export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Sequence number of the first record, modulo 2^32. */
  readonly baseSequence: number;
}

const EXPECTED_BYTES = 1024;
const NOTHING = new Uint8Array(0);
const MAX_DELTA = 2 ** 52;

/** Collects records and seals them into a batch. */
export class RecordBatchBuilder {
  readonly #compression: number;
  readonly #headroom: number;
  /** The longest batch that the limits allow. */
  readonly #maxLength: number;
  /** Where a batch of more than one record ends in the buffer at the latest. */
  readonly #targetEnd: number;
  /** Allocated with the first record, so that a builder that is not used again costs nothing. */
  #buffer: Uint8Array = NOTHING;
  #expectedBytes: number;
  /** End of the batch in the buffer; the batch starts after the headroom. */
  #end: number;
  #recordCount = 0;
  #baseTimestamp = 0;

  constructor(options: RecordBatchBuilderOptions = {}) {
    const { maxBatchBytes, maxRecordsBytes } = options.limits ?? defaultBatchLimits;
    this.#maxLength = Math.min(maxBatchBytes, layout.HEADER_LENGTH + maxRecordsBytes);
    this.#compression = compressionId(options.compression ?? "none");
    this.#headroom = options.headroomBytes ?? 0;
    this.#targetEnd = this.#headroom + Math.min(options.targetBytes ?? 1024 * 1024, this.#maxLength);
    this.#expectedBytes = this.#headroom + (options.expectedBytes ?? EXPECTED_BYTES);
    this.#end = this.#headroom + layout.HEADER_LENGTH;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Length of the batch if it were sealed now without compression. */
  get byteLength(): number {
    return this.#end - this.#headroom;
  }

  /**
   * Adds a record. Returns false if the batch has no room for the record, or if the record's
   * timestamp is 2^52 ms or more from that of the first record: then seal the batch and append
   * again.
   *
   * @throws RecordTooLargeError if no batch could contain the record
   * @throws InvalidArgumentError if the timestamp is not a safe integer
   */
  append(key: Bytes | null, value: Bytes, timestamp: number, headers?: readonly HeaderInput[]): boolean {
    if (!Number.isSafeInteger(timestamp)) throw wrongTimestamp(timestamp);
    const count = this.#recordCount;
    const delta = count === 0 ? 0 : timestamp - this.#baseTimestamp;
    if (delta >= MAX_DELTA || delta <= -MAX_DELTA) return false;
    const keyLength = key === null ? 0 : byteLengthOf(key);
    const valueLength = byteLengthOf(value);
    const hasHeaders = headers !== undefined && headers.length > 0;
    const zigzagDelta = zigzag(delta);
    const keyMark = key === null ? 0 : keyLength + 1;
    let bodyLength = varintLength(zigzagDelta) + varintLength(keyMark) + keyLength + valueLength;
    if (hasHeaders) bodyLength += varintLength(valueLength) + headersLength(headers);
    const bodyMark = bodyLength * 2 + (hasHeaders ? 1 : 0);
    const end = this.#end + varintLength(bodyMark) + bodyLength;
    if ((end > this.#targetEnd || count === MAX_RECORDS_PER_BATCH) && !this.#fitsAlone(end - this.#end)) return false;
    if (end > this.#buffer.length) this.#grow(end, this.#end);

    const buffer = this.#buffer;
    let at = writeVarint(buffer, this.#end, bodyMark);
    at = writeVarint(buffer, at, zigzagDelta);
    at = writeVarint(buffer, at, keyMark);
    if (key !== null) at = writeBytes(buffer, at, key, keyLength);
    if (hasHeaders) at = writeVarint(buffer, at, valueLength);
    at = writeBytes(buffer, at, value, valueLength);
    if (hasHeaders) at = writeHeaders(buffer, at, headers);
    if (count === 0) this.#baseTimestamp = timestamp;
    this.#recordCount = count + 1;
    this.#end = at;
    return true;
  }

  /**
   * Adds the records of a list from index `from` on, as long as they fit and are plain: objects
   * whose key and value are bytes, without headers. Returns the index of the first record that was
   * not added; {@link append} decides about that one, and about the first record of a batch.
   *
   * It adds exactly what a call of `append` for each of them would, in about half the time.
   *
   * @param now timestamp of records that have none, in ms since the epoch
   */
  appendPlain(records: readonly RecordInput[], from: number, now: number): number {
    if (this.#recordCount === 0) return from;
    const base = this.#baseTimestamp;
    const end = Math.min(records.length, from + MAX_RECORDS_PER_BATCH - this.#recordCount);
    let at = this.#end; // assigned at the end: a getter of a record may throw
    let i = from;
    for (; i < end; i++) {
      const record = records[i];
      if (typeof record !== "object" || record === null) break;
      const { key = null, value, timestamp = now, headers } = record;
      const isPlain =
        value instanceof Uint8Array && (key === null || key instanceof Uint8Array) && headers === undefined;
      if (!isPlain) break;
      let zigzagDelta = 0;
      if (timestamp !== base) {
        if (typeof timestamp !== "number" || !Number.isSafeInteger(timestamp)) break;
        zigzagDelta = zigzag(timestamp - base);
      }
      const keyLength = key === null ? 0 : key.length;
      const keyMark = key === null ? 0 : keyLength + 1;
      const bodyLength = varintLength(zigzagDelta) + varintLength(keyMark) + keyLength + value.length;
      const recordEnd = at + varintLength(bodyLength * 2) + bodyLength;
      if (recordEnd > this.#targetEnd || zigzagDelta >= MAX_DELTA) break;
      if (recordEnd > this.#buffer.length) this.#grow(recordEnd, at);
      const buffer = this.#buffer;
      at = writeVarint(buffer, at, bodyLength * 2);
      at = writeVarint(buffer, at, zigzagDelta);
      at = writeVarint(buffer, at, keyMark);
      if (key !== null) buffer.set(key, at);
      buffer.set(value, at + keyLength);
      at = recordEnd;
    }
    this.#end = at;
    this.#recordCount += i - from;
    return i;
  }

  /** Whether a record with this timestamp can be in the same batch as the first record. */
  acceptsTimestamp(timestamp: number): boolean {
    return this.#recordCount === 0 || Math.abs(timestamp - this.#baseTimestamp) < MAX_DELTA;
  }

  /**
   * Seals the batch and returns its bytes, which belong to the caller; the builder is empty
   * afterwards. The batch must contain a record.
   */
  seal(stamp?: ProducerStamp): Uint8Array {
    if (this.#recordCount === 0) throw new InvalidArgumentError("a batch needs at least one record");
    const start = this.#headroom;
    const recordsLength = this.byteLength - layout.HEADER_LENGTH;
    let compression = this.#compression;
    let batch = this.#buffer.subarray(start, this.#end);
    if (compression !== NO_COMPRESSION) {
      const compressed = compressor(compression).compress(batch.subarray(layout.HEADER_LENGTH));
      // With fewer bytes than the smallest record the batch would be shorter than the format
      // allows.
      if (compressed.length < recordsLength && compressed.length >= layout.MIN_RECORD_LENGTH) {
        const length = layout.HEADER_LENGTH + compressed.length;
        batch = platform.allocate(start + length).subarray(start);
        batch.set(compressed, layout.HEADER_LENGTH);
      } else {
        compression = NO_COMPRESSION;
      }
    }
    writeI64(batch, layout.PRODUCER_ID_OFFSET, stamp?.producerId ?? layout.NO_PRODUCER_ID);
    writeI64(batch, layout.BASE_TIMESTAMP_OFFSET, this.#baseTimestamp);
    writeU32(batch, layout.BASE_SEQUENCE_OFFSET, stamp?.baseSequence ?? 0);
    writeU32(batch, layout.RECORD_COUNT_OFFSET, this.#recordCount);
    writeU32(batch, layout.RECORDS_LENGTH_OFFSET, recordsLength);
    writeU16(batch, layout.PRODUCER_EPOCH_OFFSET, stamp?.producerEpoch ?? 0);
    batch[layout.COMPRESSION_OFFSET] = compression;
    batch[layout.RESERVED_OFFSET] = 0;
    writeU32(batch, layout.PRODUCER_CRC_OFFSET, crc32c(batch, layout.PRODUCER_ID_OFFSET));
    for (const [i, byte] of layout.MAGIC.entries()) batch[layout.MAGIC_OFFSET + i] = byte;
    batch[layout.FORMAT_VERSION_OFFSET] = layout.FORMAT_VERSION;
    writeU32(batch, layout.BATCH_LENGTH_OFFSET, batch.length);
    writeServerHalf(batch, { baseOffset: 0, appendTime: 0, flushedUpTo: 0 });
    // The next batch will probably be about as long as this one. The buffer itself is reused only
    // if the batch was copied out of it by compression.
    this.#expectedBytes = Math.min(Math.ceil(this.#end * 1.125), this.#targetEnd);
    if (compression === NO_COMPRESSION) this.#buffer = NOTHING;
    this.#end = start + layout.HEADER_LENGTH;
    this.#recordCount = 0;
    return batch;
  }

  /** Whether a record that does not fit beside others is the first of its batch. */
  #fitsAlone(length: number): boolean {
    const alone = layout.HEADER_LENGTH + length;
    if (alone <= this.#maxLength) return this.#recordCount === 0;
    throw new RecordTooLargeError(
      `a record of ${length} bytes makes a batch of ${alone}, and ${this.#maxLength} are allowed: split the value or raise maxBatchBytes`,
      { expected: this.#maxLength, actual: alone },
    );
  }

  /** Makes room up to `end`, and keeps the bytes up to `used`. */
  #grow(end: number, used: number): void {
    const grown = platform.allocate(Math.max(end, this.#buffer.length * 2, this.#expectedBytes));
    grown.set(this.#buffer.subarray(0, used));
    this.#buffer = grown;
  }
}

function wrongTimestamp(timestamp: number): InvalidArgumentError {
  return new InvalidArgumentError(`timestamp ${timestamp} is not a whole number of ms since the epoch`);
}
