/** The limit of an embedded log: records copied into a buffer and written, read back and sliced, with nothing else around it. */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { RECORD_BYTES, RECORDS_PER_BATCH, record } from "./records.ts";

const LENGTHS_BYTES = 4;
const FRAME_BYTES = LENGTHS_BYTES + RECORD_BYTES;
const CHUNK_BYTES = 512 * 1024;

/** Key length and value length, key, value; a thousand of them to a write. */
export function encodeAndWrite(path: string, records: number): void {
  const file = openSync(path, "w");
  for (let written = 0; written < records; written += RECORDS_PER_BATCH) {
    const batch = Buffer.allocUnsafeSlow(FRAME_BYTES * RECORDS_PER_BATCH);
    let at = 0;
    for (let i = 0; i < RECORDS_PER_BATCH; i++) {
      batch.writeUInt16LE(record.key.length, at);
      batch.writeUInt16LE(record.value.length, at + 2);
      batch.set(record.key, at + LENGTHS_BYTES);
      batch.set(record.value, at + LENGTHS_BYTES + record.key.length);
      at += FRAME_BYTES;
    }
    writeSync(file, batch);
  }
  closeSync(file);
}

/** Reads what {@link encodeAndWrite} wrote, and makes a view of each value. */
export function readAndSlice(path: string): number {
  const file = openSync(path, "r");
  let bytes = 0;
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const length = readSync(file, chunk, 0, CHUNK_BYTES, position);
    let at = 0;
    while (at + LENGTHS_BYTES <= length) {
      const valueStart = at + LENGTHS_BYTES + chunk.readUInt16LE(at);
      const end = valueStart + chunk.readUInt16LE(at + 2);
      if (end > length) break;
      bytes += chunk.subarray(valueStart, end).length;
      at = end;
    }
    if (at === 0) break;
    position += at;
  }
  closeSync(file);
  return bytes;
}

/** Writes a record and makes it durable, again and again. */
export function writeAndSync(path: string, times: number): void {
  const file = openSync(path, "w");
  const bytes = Buffer.alloc(FRAME_BYTES);
  for (let i = 0; i < times; i++) {
    writeSync(file, bytes);
    fdatasyncSync(file);
  }
  closeSync(file);
}
