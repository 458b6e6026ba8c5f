/** Writes the parts of a record: keys, values and headers. */
import type { Bytes, HeaderInput } from "./record.js";
import { utf8Length, writeUtf8 } from "./utf8.js";
import { varintLength, writeVarint } from "./varint.js";

export function byteLengthOf(bytes: Bytes): number {
  return typeof bytes === "string" ? utf8Length(bytes) : bytes.length;
}

/** Returns the position after the bytes, whose {@link byteLengthOf} is `length`. */
export function writeBytes(buffer: Uint8Array, at: number, bytes: Bytes, length: number): number {
  if (typeof bytes === "string") writeUtf8(buffer, at, bytes, length);
  else buffer.set(bytes, at);
  return at + length;
}

export function headersLength(headers: readonly HeaderInput[]): number {
  let length = 0;
  for (const { name, value } of headers) {
    const nameLength = utf8Length(name);
    const valueLength = byteLengthOf(value);
    length += varintLength(nameLength) + nameLength + varintLength(valueLength) + valueLength;
  }
  return length;
}

export function writeHeaders(buffer: Uint8Array, start: number, headers: readonly HeaderInput[]): number {
  let at = start;
  for (const { name, value } of headers) {
    const nameLength = utf8Length(name);
    at = writeBytes(buffer, writeVarint(buffer, at, nameLength), name, nameLength);
    const valueLength = byteLengthOf(value);
    at = writeBytes(buffer, writeVarint(buffer, at, valueLength), value, valueLength);
  }
  return at;
}
