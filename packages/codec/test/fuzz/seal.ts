/**
 * Gives bytes the checksums and lengths of a valid batch, so that the checks after these are
 * reached.
 */
import { crc32c, FORMAT_MARK } from "../../src/index.js";

export interface Seal {
  readonly batchLength?: number;
  readonly recordCount?: number;
  readonly recordsLength?: number;
  readonly compression?: number;
}

const HEADER = 72;

/** Sets the given fields, then the checksums, in place. Too few bytes are left as they are. */
export function seal(bytes: Uint8Array, fields: Seal = {}): Uint8Array {
  if (bytes.length < HEADER) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  bytes.set(FORMAT_MARK);
  view.setUint32(4, fields.batchLength ?? bytes.length, true);
  if (fields.recordCount !== undefined) view.setUint32(60, fields.recordCount, true);
  if (fields.recordsLength !== undefined) view.setUint32(64, fields.recordsLength, true);
  if (fields.compression !== undefined) bytes[70] = fields.compression;
  view.setUint32(36, crc32c(bytes, 40), true);
  view.setUint32(32, crc32c(bytes, 0, 32), true);
  return bytes;
}
