/**
 * JSON documents with a checksum, one line each: damage is detected, and the file stays readable
 * for humans.
 */
import { crc32c } from "@logstore/codec";

export function encodeCheckedJson(value: unknown): Uint8Array {
  const json = Buffer.from(`${JSON.stringify(value)}\n`);
  return Buffer.concat([json, Buffer.from(`${hexCrc(json)}\n`)]);
}

/** Returns undefined if the checksum does not match or the content is not JSON. */
export function decodeCheckedJson(content: Uint8Array): unknown {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const end = bytes.indexOf("\n") + 1;
  if (end === 0 || bytes.toString("latin1", end) !== `${hexCrc(bytes.subarray(0, end))}\n`) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8", 0, end));
  } catch {
    return undefined;
  }
}

/**
 * For a document that must be a plain JSON object: the checksum of the other fields is its last
 * field.
 */
export function encodeJsonWithCrc(fields: object): Uint8Array {
  const crc = hexCrc(Buffer.from(JSON.stringify(fields)));
  return Buffer.from(`${JSON.stringify({ ...fields, crc }, null, 2)}\n`);
}

/** Returns undefined if the content is not a JSON object or its checksum does not match. */
export function decodeJsonWithCrc(content: Uint8Array): Record<string, unknown> | undefined {
  const read = readJsonWithCrc(content);
  return read?.isIntact ? read.fields : undefined;
}

/**
 * Returns the fields without the checksum, and whether it matches; undefined if the content is not
 * a JSON object.
 */
export function readJsonWithCrc(
  content: Uint8Array,
): { readonly fields: Record<string, unknown>; readonly isIntact: boolean } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(content));
  } catch {
    return undefined;
  }
  const { crc, ...fields } = Object(value);
  return { fields, isIntact: crc === hexCrc(Buffer.from(JSON.stringify(fields))) };
}

function hexCrc(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(8, "0");
}
