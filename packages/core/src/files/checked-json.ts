/**
 * A JSON document with its checksum: one line each. Damage is noticed, and a person can still read
 * it.
 */
import { crc32c } from "@logstore/codec";

export function encodeCheckedJson(value: unknown): Uint8Array {
  const json = Buffer.from(`${JSON.stringify(value)}\n`);
  return Buffer.concat([json, Buffer.from(`${hexCrc(json)}\n`)]);
}

/** Undefined where the checksum does not match, or what it covers is no JSON. */
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
 * The same for a document that is to stay plain JSON: the checksum of its other fields is a field
 * of its own, the last.
 */
export function encodeJsonWithCrc(fields: object): Uint8Array {
  const crc = hexCrc(Buffer.from(JSON.stringify(fields)));
  return Buffer.from(`${JSON.stringify({ ...fields, crc }, null, 2)}\n`);
}

/** Undefined where it is no JSON object, or not the one that was written. */
export function decodeJsonWithCrc(content: Uint8Array): Record<string, unknown> | undefined {
  const read = readJsonWithCrc(content);
  return read?.isIntact ? read.fields : undefined;
}

/** The fields without the checksum, and whether it matches; undefined where it is no JSON. */
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
