/**
 * Writes records as NDJSON, as packages/cli/README.md describes it. A key or value that is UTF-8 is
 * a JSON string; any other is base64 in a field of another name, so that each byte can be restored.
 */
import { isUtf8 } from "node:buffer";
import { asBytes, MAX_ESCAPED_BYTES, writeBytes, writeInteger, writeString } from "./json-bytes.js";
import type { RecordWriter, WrittenRecord } from "./record-writer.js";

const INITIAL_BYTES = 64 * 1024;
/** Names, numbers and braces of a line, without the topic. */
const LINE_OVERHEAD_BYTES = 256;
/** Size of a header without its name and value. */
const HEADER_OVERHEAD_BYTES = 64;

const TIMESTAMP = asBytes(',"timestamp":');
const NULL_KEY = asBytes(',"key":null');
const KEY = asBytes(',"key":');
const KEY_BASE64 = asBytes(',"keyBase64":');
const VALUE = asBytes(',"value":');
const VALUE_BASE64 = asBytes(',"valueBase64":');
const HEADERS = asBytes(',"headers":[');
const FIRST_HEADER = asBytes('{"name":');
const NEXT_HEADER = asBytes(',{"name":');
const END_OF_HEADER = asBytes("}");
const END_OF_HEADERS = asBytes("]");
const END_OF_LINE = asBytes("}\n");

/** Lines of records, of one partition at a time. */
export class NdjsonWriter implements RecordWriter {
  #out = new Uint8Array(INITIAL_BYTES);
  #length = 0;
  /** `{"topic":"orders","partition":0,"offset":` */
  #prefix: Uint8Array = new Uint8Array(0);

  get byteLength(): number {
    return this.#length;
  }

  begin(topic: string, partition: number): void {
    this.#prefix = asBytes(`{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":`);
  }

  write(record: WrittenRecord): void {
    const { key, value, headers } = record;
    let most = LINE_OVERHEAD_BYTES + this.#prefix.length + MAX_ESCAPED_BYTES * (value.length + (key?.length ?? 0));
    for (const { name, value } of headers) {
      most += HEADER_OVERHEAD_BYTES + MAX_ESCAPED_BYTES * (3 * name.length + value.length);
    }
    this.#makeRoom(most);
    const out = this.#out;
    let at = writeBytes(out, this.#length, this.#prefix);
    at = writeInteger(out, at, record.offset);
    at = writeBytes(out, at, TIMESTAMP);
    at = writeInteger(out, at, record.timestamp);
    at = key === null ? writeBytes(out, at, NULL_KEY) : writeField(out, at, KEY, KEY_BASE64, key);
    at = writeField(out, at, VALUE, VALUE_BASE64, value);
    if (headers.length > 0) at = writeHeaders(out, at, headers);
    this.#length = writeBytes(out, at, END_OF_LINE);
  }

  take(): Uint8Array {
    const taken = this.#out.subarray(0, this.#length);
    this.#out = new Uint8Array(Math.max(INITIAL_BYTES, this.#length + (this.#length >> 2)));
    this.#length = 0;
    return taken;
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#out.length) return;
    const grown = new Uint8Array(Math.max(this.#length + bytes, this.#out.length * 2));
    grown.set(this.#out.subarray(0, this.#length));
    this.#out = grown;
  }
}

/** @param nameBase64 name of the field for bytes that are not UTF-8 */
function writeField(out: Uint8Array, at: number, name: Uint8Array, nameBase64: Uint8Array, bytes: Uint8Array): number {
  const end = writeString(out, writeBytes(out, at, name), bytes);
  if (end > 0) return end;
  if (isUtf8(bytes)) return -end;
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return writeString(out, writeBytes(out, at, nameBase64), asBytes(base64));
}

function writeHeaders(out: Uint8Array, start: number, headers: WrittenRecord["headers"]): number {
  let at = writeBytes(out, start, HEADERS);
  for (const [i, { name, value }] of headers.entries()) {
    const begin = i === 0 ? FIRST_HEADER : NEXT_HEADER;
    at = writeField(out, at, begin, begin, asBytes(name));
    at = writeField(out, at, VALUE, VALUE_BASE64, value);
    at = writeBytes(out, at, END_OF_HEADER);
  }
  return writeBytes(out, at, END_OF_HEADERS);
}
