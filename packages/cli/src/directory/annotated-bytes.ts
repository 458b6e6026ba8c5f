/** The bytes of a batch with the names that docs/format/record-batch.md gives them. */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { HEADER_LENGTH, type RecordBatch } from "@logstore/codec";

/** A range of bytes and its name. */
export interface Field {
  /** From the start of the batch, or of its records after decompression. */
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly value: string;
  /** 0 for the header, 1 for the start of a record, 2 for the fields of a record. */
  readonly depth: number;
}

type Read = (view: DataView, at: number) => string;

const u8: Read = (view, at) => String(view.getUint8(at));
const u16: Read = (view, at) => String(view.getUint16(at, true));
const u32: Read = (view, at) => String(view.getUint32(at, true));
const i64: Read = (view, at) => String(view.getBigInt64(at, true));
const checksum: Read = (view, at) => view.getUint32(at, true).toString(16).padStart(8, "0");
const time: Read = (view, at) => timeOf(Number(view.getBigInt64(at, true)));
const magic: Read = (view, at) => JSON.stringify(String.fromCharCode(...[0, 1, 2].map((i) => view.getUint8(at + i))));
const compression: Read = (view, at) => {
  const id = view.getUint8(at);
  return ["none", "gzip", "zstd"][id] ?? `${id}, an application's own`;
};

/** In the order of the format; each field begins where the previous one ends. */
const headerFields: readonly (readonly [name: string, width: number, read: Read])[] = [
  ["magic", 3, magic],
  ["format version", 1, u8],
  ["batch length", 4, u32],
  ["base offset", 8, i64],
  ["append time", 8, time],
  ["flushed-up-to offset", 8, i64],
  ["server CRC", 4, checksum],
  ["producer CRC", 4, checksum],
  ["producer id", 8, i64],
  ["base timestamp", 8, time],
  ["base sequence", 4, u32],
  ["record count", 4, u32],
  ["records length", 4, u32],
  ["producer epoch", 2, u16],
  ["compression", 1, compression],
  ["reserved", 1, u8],
];

/** Returns the fields of a header, which may be invalid. */
export function annotatedHeader(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  let position = 0;
  for (const [name, width, read] of headerFields) {
    if (position + width > bytes.length) break;
    const field = { position, bytes: bytes.subarray(position, position + width), name, depth: 0 };
    fields.push({ ...field, value: read(view, position) });
    position += width;
  }
  return fields;
}

/**
 * Returns the fields of the records of a valid batch, or of one record. Positions count from the
 * start of the records.
 *
 * @throws CorruptBatchError if the records are inconsistent
 */
export function annotatedRecords(batch: RecordBatch, offset?: number): Field[] {
  const stored = batch.bytes.subarray(HEADER_LENGTH);
  const records = decompressed(stored, batch.compression);
  if (records === undefined) return [{ position: 0, bytes: stored, name: "records", value: "compressed", depth: 1 }];
  batch.checkRecords();
  const walk = new Walk(records);
  for (let at = batch.baseOffset; at < batch.nextOffset; at++) {
    if (offset !== undefined && at > offset) break;
    if (at === offset) walk.fields.length = 0;
    walkRecord(walk, at);
  }
  return walk.fields;
}

function decompressed(stored: Uint8Array, name: string | undefined): Uint8Array | undefined {
  if (name === "none") return stored;
  if (name === "gzip") return gunzipSync(stored);
  return name === "zstd" ? zstdDecompressSync(stored) : undefined;
}

/** @see docs/format/record-batch.md, "Record" */
function walkRecord(walk: Walk, offset: number): void {
  const mark = walk.varint((value) => {
    const hasHeaders = value % 2 === 1;
    return [
      `record at offset ${offset}`,
      `body of ${Math.floor(value / 2)} bytes, ${hasHeaders ? "headers" : "no headers"}`,
      1,
    ];
  });
  const end = walk.position + Math.floor(mark / 2);
  walk.varint((value) => ["timestamp delta", `${value % 2 === 0 ? value / 2 : -(value + 1) / 2} ms`, 2]);
  const keyMark = walk.varint((value) => ["key length + 1", value === 0 ? "null key" : String(value), 2]);
  if (keyMark > 1) walk.text("key", keyMark - 1);
  const hasHeaders = mark % 2 === 1;
  const valueLength = hasHeaders ? walk.varint((value) => ["value length", String(value), 2]) : end - walk.position;
  if (valueLength > 0) walk.text("value", valueLength);
  while (walk.position < end) {
    walk.text(
      "header name",
      walk.varint((value) => ["header name length", String(value), 2]),
    );
    const length = walk.varint((value) => ["header value length", String(value), 2]);
    if (length > 0) walk.text("header value", length);
  }
}

class Walk {
  readonly fields: Field[] = [];
  readonly #bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  varint(describe: (value: number) => readonly [name: string, value: string, depth: number]): number {
    let value = 0;
    let scale = 1;
    let length = 0;
    for (;;) {
      const byte = this.#bytes[this.position + length++]!;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80) break;
    }
    const [name, text, depth] = describe(value);
    this.#add(length, name, text, depth);
    return value;
  }

  text(name: string, length: number): void {
    const text = Buffer.from(this.#bytes.subarray(this.position, this.position + length)).toString("utf8");
    this.#add(length, name, JSON.stringify(text), 2);
  }

  #add(length: number, name: string, value: string, depth: number): void {
    const { position } = this;
    this.fields.push({ position, bytes: this.#bytes.subarray(position, position + length), name, value, depth });
    this.position += length;
  }
}

function timeOf(ms: number): string {
  const date = new Date(ms);
  return ms === 0 || Number.isNaN(date.getTime()) ? String(ms) : `${ms}, ${date.toISOString()}`;
}
