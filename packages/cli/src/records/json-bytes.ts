/** JSON as bytes: strings and numbers are written without a JavaScript string in between. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const MINUS = 0x2d;
const ZERO = 0x30;

/** A byte of a string becomes six at most: an escape such as \u0001. */
export const MAX_ESCAPED_BYTES = 6;

const PLAIN = 0;
const ESCAPED_BY_BACKSLASH = 1;
const CONTROL = 2;
const NOT_ASCII = 3;

const kinds = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  if (byte === QUOTE || byte === BACKSLASH) kinds[byte] = ESCAPED_BY_BACKSLASH;
  else if (byte < SPACE) kinds[byte] = CONTROL;
  else if (byte >= 0x80) kinds[byte] = NOT_ASCII;
}

const controls = Array.from({ length: SPACE }, (_, byte) =>
  asBytes(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
);

export function asBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * Writes bytes as a JSON string, quotes included. Returns the end; negative if there are bytes of
 * more than ASCII, which have to be checked to be UTF-8.
 */
export function writeString(out: Uint8Array, at: number, text: Uint8Array): number {
  let isAscii = true;
  out[at++] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    const kind = kinds[byte]!;
    if (kind !== PLAIN) {
      if (kind === CONTROL) {
        at = writeBytes(out, at, controls[byte]!);
        continue;
      }
      if (kind === ESCAPED_BY_BACKSLASH) out[at++] = BACKSLASH;
      else isAscii = false;
    }
    out[at++] = byte;
  }
  out[at++] = QUOTE;
  return isAscii ? at : -at;
}

/** For a few bytes, faster than `set`. */
export function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i]!;
  return at;
}

const LOW = 1e8;

/** Writes a safe integer. */
export function writeInteger(out: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    out[at++] = MINUS;
    value = -value;
  }
  const high = Math.floor(value / LOW);
  if (high === 0) return writeDigits(out, at, value | 0, 1);
  at = high < LOW ? writeDigits(out, at, high | 0, 1) : writeInteger(out, at, high);
  return writeDigits(out, at, (value - high * LOW) | 0, 8);
}

/** @param least number of digits; zeros are put before the others */
function writeDigits(out: Uint8Array, at: number, value: number, least: number): number {
  let digits = least;
  for (let limit = 10 ** least; limit <= value; limit *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = (value / 10) | 0;
    out[i] = ZERO + value - rest * 10;
    value = rest;
  }
  return at + digits;
}
