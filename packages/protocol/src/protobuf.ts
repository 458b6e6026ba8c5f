/**
 * The part of protobuf's wire format that the messages of LogStore need:
 * https://protobuf.dev/programming-guides/encoding/
 */

const VARINT = 0;
const I64 = 1;
const LENGTH_DELIMITED = 2;
const I32 = 5;

const MAX_VARINT_LENGTH = 10;
const TWO_POW_28 = 0x1000_0000;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Writes fields one after another into a growing scratch buffer. */
export class FieldWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  /** The fields written so far, as a view that the next write may overwrite. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes an integer of at most 64 bits. Zero is the default and is omitted. */
  integer(field: number, value: number): this {
    return value === 0 ? this : this.presentInteger(field, value);
  }

  /** Writes an integer of a field with explicit presence: zero is written, too. */
  presentInteger(field: number, value: number): this {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.content(field, encoder.encode(value));
  }

  /** Writes a nested message. */
  message(field: number, { bytes }: FieldWriter): this {
    return this.content(field, bytes);
  }

  /** Writes the tag and length of a bytes field whose content is stored elsewhere. */
  lengthOf(field: number, length: number): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(length);
    return this;
  }

  /** Writes bytes, or an encoded message. */
  content(field: number, bytes: Uint8Array): this {
    this.lengthOf(field, bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  #varint(value: number): void {
    this.#reserve(MAX_VARINT_LENGTH);
    if (value < 0) {
      this.#negativeVarint(value);
      return;
    }
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** The two's complement in 64 bits. */
  #negativeVarint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const grown = new Uint8Array((this.#length + length) * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/**
 * Iterates over the fields of a message; unknown ones can be skipped. Throws a RangeError if the
 * message is malformed.
 */
export class FieldReader {
  /** Number of the current field; see {@link next}. */
  field = 0;
  readonly #bytes: Uint8Array;
  #at = 0;
  #wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    return true;
  }

  /**
   * Reads an integer. A negative int64 is returned as such; a value beyond 2^53 is inexact, and the
   * caller must reject it.
   */
  integer(): number {
    if (this.#wireType !== VARINT) throw malformed();
    return this.#varint();
  }

  /** Reads elements of a repeated integer field: one, or several that are packed. */
  integers(): number[] {
    if (this.#wireType !== LENGTH_DELIMITED) return [this.integer()];
    const length = this.#varint();
    const start = this.#advance(length);
    this.#at = start;
    const values: number[] = [];
    while (this.#at < start + length) values.push(this.#varint());
    return values;
  }

  string(): string {
    return decoder.decode(this.view());
  }

  /** A view of the message. */
  view(): Uint8Array {
    if (this.#wireType !== LENGTH_DELIMITED) throw malformed();
    const start = this.#advance(this.#varint());
    return this.#bytes.subarray(start, this.#at);
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#varint();
    else if (this.#wireType === LENGTH_DELIMITED) this.view();
    else if (this.#wireType === I64) this.#advance(8);
    else if (this.#wireType === I32) this.#advance(4);
    else throw malformed();
  }

  #advance(length: number): number {
    const start = this.#at;
    if (!(length >= 0) || start + length > this.#bytes.length) throw malformed();
    this.#at = start + length;
    return start;
  }

  /** Decodes in three parts, so that small negative numbers, which use all 64 bits, are exact. */
  #varint(): number {
    let [low, middle, high] = [0, 0, 0];
    for (let i = 0; i < MAX_VARINT_LENGTH; i++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw malformed();
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i < 8) middle |= bits << (7 * (i - 4));
      else high |= bits << (7 * (i - 8));
      if (byte < 0x80) return (((high << 24) >> 24) * TWO_POW_28 + middle) * TWO_POW_28 + low;
    }
    throw malformed();
  }
}

function malformed(): RangeError {
  return new RangeError("not a well-formed protobuf message");
}
