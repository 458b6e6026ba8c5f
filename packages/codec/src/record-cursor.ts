/**
 * A cursor over the records of a batch. It allocates no object per record; keys and values are
 * returned as views on request.
 */
import { CorruptBatchError } from "./errors.js";
import type { Header, LogRecord } from "./record.js";
import { readUtf8 } from "./utf8.js";
import { MAX_VARINT_LENGTH, unzigzag } from "./varint.js";

const MAX_INT32 = 0x7fff_ffff;

/** Walks over the records of a batch without making an object for each. */
export class RecordCursor {
  /** Offset of the current record. */
  offset: number;
  /** Timestamp of the current record, in ms since the epoch. */
  timestamp = 0;

  readonly #bytes: Uint8Array;
  readonly #buffer: ArrayBufferLike;
  /** Start of the records in the underlying ArrayBuffer. */
  readonly #byteOffset: number;
  readonly #end: number;
  readonly #endOffset: number;
  readonly #baseTimestamp: number;
  #at = 0;
  /** -1 for a null key. */
  #keyStart = -1;
  #keyEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;
  #recordEnd = 0;

  /** @param bytes exactly the records of a batch, decompressed */
  constructor(bytes: Uint8Array, baseOffset: number, recordCount: number, baseTimestamp: number) {
    this.#bytes = bytes;
    this.#buffer = bytes.buffer;
    this.#byteOffset = bytes.byteOffset;
    this.#end = bytes.length;
    this.#endOffset = baseOffset + recordCount;
    this.#baseTimestamp = baseTimestamp;
    this.offset = baseOffset - 1;
  }

  /**
   * Moves to the next record; returns false after the last one.
   *
   * @throws CorruptBatchError if a length does not fit its record, or bytes remain after the last
   * record
   */
  next(): boolean {
    if (this.offset + 1 >= this.#endOffset) {
      if (this.#recordEnd !== this.#end) throw this.#corrupt("bytes are left over after the last record");
      return false;
    }
    this.offset++;
    if (!this.#nextOrdinary()) this.#nextAny();
    return true;
  }

  /**
   * Moves to the next record if it has no headers, and no varint of more than two bytes, as nearly
   * all records do. Returns false if it has, or is malformed, and changes nothing then.
   */
  #nextOrdinary(): boolean {
    const bytes = this.#bytes;
    let at = this.#recordEnd;
    let mark = bytes[at++]!;
    if (mark >= 0x80) mark = (mark & 0x7f) | (bytes[at++]! << 7);
    const end = at + (mark >>> 1);
    let delta = bytes[at++]!;
    if (delta >= 0x80) delta = (delta & 0x7f) | (bytes[at++]! << 7);
    let keyMark = bytes[at++]!;
    if (keyMark >= 0x80) keyMark = (keyMark & 0x7f) | (bytes[at++]! << 7);
    const keyEnd = keyMark > 0 ? at + keyMark - 1 : at;
    const timestamp = this.#baseTimestamp + unzigzag(delta);
    const isOrdinary = (mark & 1) === 0 && (mark | delta | keyMark) < 0x4000 && Number.isSafeInteger(timestamp);
    // A position behind the bytes is beyond the end of the record, too.
    if (!isOrdinary || keyEnd > end || end > this.#end) return false;
    this.timestamp = timestamp;
    this.#keyStart = keyMark > 0 ? at : -1;
    this.#keyEnd = keyEnd;
    this.#valueStart = keyEnd;
    this.#valueEnd = end;
    this.#recordEnd = end;
    this.#at = keyEnd;
    return true;
  }

  #nextAny(): void {
    this.#at = this.#recordEnd;
    const mark = this.#varint(this.#end);
    const hasHeaders = (mark & 1) === 1;
    const end = this.#at + (mark <= MAX_INT32 ? mark >>> 1 : Math.floor(mark / 2));
    if (end > this.#end) throw this.#corrupt("a record is longer than its batch");
    this.#recordEnd = end;
    this.timestamp = this.#baseTimestamp + unzigzag(this.#varint(end));
    if (!Number.isSafeInteger(this.timestamp)) throw this.#corrupt("a timestamp is beyond 2^53 - 1");
    const keyMark = this.#varint(end);
    this.#keyStart = keyMark === 0 ? -1 : this.#at;
    if (keyMark > 0) this.#at += keyMark - 1;
    this.#keyEnd = this.#at;
    const valueLength = hasHeaders ? this.#varint(end) : end - this.#at;
    this.#valueStart = this.#at;
    this.#valueEnd = this.#at + valueLength;
    if (this.#keyEnd > end || this.#valueEnd > end) throw this.#corrupt("a key or value is longer than its record");
    if (hasHeaders && this.#valueEnd === end) throw this.#corrupt("headers are announced and none is there");
  }

  /** The key of the current record, as a view; null if it has none. */
  get key(): Uint8Array | null {
    return this.#keyStart < 0 ? null : this.#view(this.#keyStart, this.#keyEnd);
  }

  /** The value of the current record, as a view. */
  get value(): Uint8Array {
    return this.#view(this.#valueStart, this.#valueEnd);
  }

  get hasHeaders(): boolean {
    return this.#valueEnd < this.#recordEnd;
  }

  /**
   * Returns the number of headers of the current record without creating them, and checks that
   * their lengths fit the record. Stops counting at `most + 1`.
   *
   * @throws CorruptBatchError
   */
  countHeaders(most: number): number {
    let count = 0;
    this.#at = this.#valueEnd;
    for (; this.#at < this.#recordEnd && count <= most; count++) {
      this.#skip(this.#varint(this.#recordEnd));
      this.#skip(this.#varint(this.#recordEnd));
    }
    return count;
  }

  get headers(): readonly Header[] {
    if (!this.hasHeaders) return noHeaders;
    const headers: Header[] = [];
    this.#at = this.#valueEnd;
    while (this.#at < this.#recordEnd) {
      const name = readUtf8(this.#take(this.#varint(this.#recordEnd)));
      headers.push({ name, value: this.#take(this.#varint(this.#recordEnd)) });
    }
    return headers;
  }

  /** The current record as an object that stays valid when the cursor moves on. */
  get record(): LogRecord {
    return new RecordView(
      this.offset,
      this.timestamp,
      this.#buffer,
      this.#keyStart < 0 ? -1 : this.#byteOffset + this.#keyStart,
      this.#keyEnd - this.#keyStart,
      this.#byteOffset + this.#valueStart,
      this.#valueEnd - this.#valueStart,
      this.headers,
    );
  }

  #take(length: number): Uint8Array {
    const start = this.#at;
    this.#skip(length);
    return this.#view(start, this.#at);
  }

  #skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#recordEnd) throw this.#corrupt("a header is longer than its record");
  }

  /** Costs about half of `subarray`, and always returns a Uint8Array, never a Buffer. */
  #view(start: number, end: number): Uint8Array {
    return new Uint8Array(this.#buffer, this.#byteOffset + start, end - start);
  }

  #varint(end: number): number {
    const at = this.#at;
    // Nearly all varints have one or two bytes.
    if (at + 1 < end) {
      const first = this.#bytes[at]!;
      if (first < 0x80) {
        this.#at = at + 1;
        return first;
      }
      const second = this.#bytes[at + 1]!;
      if (second < 0x80) {
        this.#at = at + 2;
        return (first & 0x7f) | (second << 7);
      }
    }
    return this.#anyVarint(end);
  }

  #anyVarint(end: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = 0;
    let scale = 1;
    for (const last = Math.min(end, at + MAX_VARINT_LENGTH); at < last; at++) {
      const byte = bytes[at]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        this.#at = at + 1;
        return value;
      }
      scale *= 0x80;
    }
    throw this.#corrupt("a varint does not end, or is beyond 2^53 - 1");
  }

  #corrupt(what: string): CorruptBatchError {
    const { offset } = this;
    const byte = this.#at;
    return new CorruptBatchError(
      `${what} (record at offset ${offset}, byte ${byte} of its batch's records): the batch was made by faulty software, or damaged`,
      { offset, byte },
    );
  }
}

const noHeaders: readonly Header[] = Object.freeze([]);

/**
 * A record whose key and value views are created on first access, so that a reader pays only for
 * what it uses.
 */
class RecordView implements LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: readonly Header[];
  readonly #buffer: ArrayBufferLike;
  /** -1 for a null key. */
  readonly #keyStart: number;
  readonly #keyLength: number;
  readonly #valueStart: number;
  readonly #valueLength: number;

  constructor(
    offset: number,
    timestamp: number,
    buffer: ArrayBufferLike,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    headers: readonly Header[],
  ) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.#buffer = buffer;
    this.#keyStart = keyStart;
    this.#keyLength = keyLength;
    this.#valueStart = valueStart;
    this.#valueLength = valueLength;
    this.headers = headers;
  }

  get key(): Uint8Array | null {
    return this.#keyStart < 0 ? null : new Uint8Array(this.#buffer, this.#keyStart, this.#keyLength);
  }

  get value(): Uint8Array {
    return new Uint8Array(this.#buffer, this.#valueStart, this.#valueLength);
  }
}
