/**
 * Writes records as CSV, as packages/cli/README.md describes it. The encoding is "base64" for bytes
 * that are not UTF-8. An empty key without an encoding is null.
 */
import { isUtf8 } from "node:buffer";
import type { RecordCursor } from "@logstore/codec";
import { stringify } from "csv-stringify/sync";
import type { RecordWriter, WrittenRecord } from "./record-writer.js";

export const csvColumns = [
  "topic",
  "partition",
  "offset",
  "timestamp",
  "key",
  "value",
  "headers",
  "keyEncoding",
  "valueEncoding",
] as const;

/** Size of a row without its key, value and headers. */
const ROW_OVERHEAD_BYTES = 48;

export class CsvWriter implements RecordWriter {
  #rows: (string | number)[][] = [[...csvColumns]];
  #bytes = 0;
  #topic = "";
  #partition = 0;

  /** Approximate number of bytes that `take` returns. */
  get byteLength(): number {
    return this.#bytes;
  }

  begin(topic: string, partition: number): void {
    this.#topic = topic;
    this.#partition = partition;
  }

  write({ offset, timestamp, key, value, headers }: WrittenRecord): void {
    const [keyText, keyEncoding] = key === null ? ["", ""] : encoded(key);
    const [valueText, valueEncoding] = encoded(value);
    const headerText = headersText(headers);
    const encodingOfKey = keyText === "" && key !== null ? "utf8" : keyEncoding;
    const row = [this.#topic, this.#partition, offset, timestamp, keyText, valueText, headerText, encodingOfKey];
    this.#rows.push([...row, valueEncoding]);
    this.#bytes += ROW_OVERHEAD_BYTES + keyText.length + valueText.length + headerText.length;
  }

  take(): Uint8Array {
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    return Buffer.from(stringify(rows));
  }
}

function encoded(bytes: Uint8Array): [text: string, encoding: string] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? [buffer.toString("utf8"), ""] : [buffer.toString("base64"), "base64"];
}

/** As in NDJSON: a list of names and values. */
function headersText(headers: RecordCursor["headers"]): string {
  if (headers.length === 0) return "";
  const list = headers.map(({ name, value }) => {
    const [text, encoding] = encoded(value);
    return encoding === "" ? { name, value: text } : { name, valueBase64: text };
  });
  return JSON.stringify(list);
}
