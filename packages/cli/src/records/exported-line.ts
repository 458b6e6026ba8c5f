/**
 * Parses the lines that an export writes without JSON.parse, which would be most of the work of an
 * import. Anything else is left to JSON.parse.
 */
import type { ImportedRecord } from "./imported-record.js";
import { asBytes } from "./json-bytes.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
const MINUS = 0x2d;
const MAX_DIGITS = 15;

const TOPIC = asBytes('{"topic":');
const PARTITION = asBytes(',"partition":');
const OFFSET = asBytes(',"offset":');
const TIMESTAMP = asBytes(',"timestamp":');
const KEY = asBytes(',"key":');
const NULL = asBytes("null");
const VALUE = asBytes(',"value":');
const END = asBytes("}\n");

/** What stands behind a backslash, and the byte that it means; 0: something longer. */
const unescaped = new Uint8Array(256);
for (const [letter, byte] of Object.entries({ '"': 0x22, "\\": 0x5c, "/": 0x2f, b: 8, f: 12, n: 10, r: 13, t: 9 })) {
  unescaped[letter.charCodeAt(0)] = byte;
}

/** Reads lines from bytes that are valid UTF-8. Keys and values are views of memory of its own. */
export class ExportedLines {
  readonly #bytes: Uint8Array;
  /** Strings with escapes, without them; made when there is one. */
  #plain: Uint8Array | undefined;
  #plainLength = 0;
  #at = 0;
  #isRight = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * The record of the line that begins at `start`; undefined if the line is not exactly as it is
   * written by an export, or has headers, base64 or rare escapes.
   */
  parse(start: number): ImportedRecord | undefined {
    this.#at = start;
    this.#isRight = true;
    this.#skip(TOPIC);
    this.#string();
    this.#skip(PARTITION);
    const partition = this.#integer();
    this.#skip(OFFSET);
    this.#integer();
    this.#skip(TIMESTAMP);
    const timestamp = this.#integer();
    this.#skip(KEY);
    const isNull = this.#isRight && this.#bytes[this.#at] === NULL[0];
    const key = isNull ? null : this.#string();
    if (isNull) this.#skip(NULL);
    this.#skip(VALUE);
    const value = this.#string();
    this.#skip(END);
    return this.#isRight ? { key, value, timestamp, headers: undefined, partition } : undefined;
  }

  /** End of the line that was parsed last. */
  get end(): number {
    return this.#at;
  }

  #skip(expected: Uint8Array): void {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < expected.length; i++) {
      if (bytes[at + i] !== expected[i]) this.#isRight = false;
    }
    this.#at = at + expected.length;
  }

  #integer(): number {
    const bytes = this.#bytes;
    const isNegative = bytes[this.#at] === MINUS;
    const first = isNegative ? this.#at + 1 : this.#at;
    let at = first;
    let value = 0;
    for (let byte = bytes[at]!; byte >= ZERO && byte <= NINE; byte = bytes[++at]!) value = value * 10 + byte - ZERO;
    // JSON allows no leading zeros.
    if (at === first || at - first > MAX_DIGITS || (bytes[first] === ZERO && at > first + 1)) this.#isRight = false;
    this.#at = at;
    return isNegative ? -value : value;
  }

  #string(): Uint8Array {
    const bytes = this.#bytes;
    let at = this.#at;
    if (!this.#isRight || bytes[at] !== QUOTE) {
      this.#isRight = false;
      return bytes;
    }
    const start = ++at;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) return this.#stringWithEscapes(start, at);
      // A line that ends here is none that an export wrote.
      if (!(byte >= SPACE)) {
        this.#isRight = false;
        return bytes;
      }
      at++;
    }
    this.#at = at + 1;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + start, at - start);
  }

  #stringWithEscapes(start: number, firstEscape: number): Uint8Array {
    const bytes = this.#bytes;
    this.#plain ??= new Uint8Array(bytes.length);
    const plain = this.#plain;
    const plainStart = this.#plainLength;
    let to = plainStart;
    for (let from = start; from < firstEscape; from++) plain[to++] = bytes[from]!;
    let at = firstEscape;
    for (let byte = bytes[at]!; byte !== QUOTE; byte = bytes[++at]!) {
      if (byte === BACKSLASH) {
        byte = unescaped[bytes[++at]!]!;
        if (byte === 0) this.#isRight = false;
      } else if (!(byte >= SPACE)) this.#isRight = false;
      if (!this.#isRight) return bytes;
      plain[to++] = byte;
    }
    this.#at = at + 1;
    this.#plainLength = to;
    return new Uint8Array(plain.buffer, plainStart, to - plainStart);
  }
}

/** Start of the line after the one that begins at `start`. */
export function nextLine(bytes: Buffer, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  return newline < 0 ? bytes.length : newline + 1;
}
