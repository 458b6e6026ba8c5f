/**
 * The baseline of an engine: records are copied into a buffer and written, read back and sliced,
 * and nothing else.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { promisify } from "node:util";
import { crc32c } from "@logstore/codec";
import type { Run } from "./measure.ts";
import { RECORD_BYTES, RECORDS_PER_BATCH, record } from "./records.ts";

const LENGTHS_BYTES = 4;
const FRAME_BYTES = LENGTHS_BYTES + RECORD_BYTES;
const CHUNK_BYTES = 512 * 1024;

/**
 * Key length, value length, key and value, with a thousand records per write. Opening, closing and
 * removing the file is not measured: freeing the pages of the previous run takes as long as filling
 * those of this one.
 */
export function encodeAndWrite(path: string, records: number, options: { checksum: boolean; keep?: boolean }): Run {
  const file = openSync(path, "w");
  let checksums = 0;
  const start = performance.now();
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
    if (options.checksum) checksums ^= crc32c(batch);
    writeSync(file, batch);
  }
  const ms = performance.now() - start;
  if (Number.isNaN(checksums)) throw new Error("a checksum is a number"); // uses the result, so that the computation is not optimized away
  closeSync(file);
  if (!options.keep) rmSync(path);
  return { units: records, ms };
}

/**
 * Reads what {@link encodeAndWrite} wrote, and creates a view of each value. Returns the bytes of
 * all values.
 */
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

const syncInPool = promisify(fdatasync);

/** Repeatedly appends the same bytes to a file and makes them durable. */
export function syncedWriter(path: string, bytes: Uint8Array) {
  const file = openSync(path, "w");
  return {
    write() {
      writeSync(file, bytes);
      fdatasyncSync(file);
    },
    /** The way of asynchronous code: another thread syncs, at the cost of two thread switches. */
    async writeInPool() {
      writeSync(file, bytes);
      await syncInPool(file);
    },
    close() {
      closeSync(file);
    },
  };
}
