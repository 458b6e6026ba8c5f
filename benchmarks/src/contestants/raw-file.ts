/**
 * The limit of an engine: values are copied into a buffer and written, read back and sliced, with
 * a CRC-32C per batch when writing, and nothing else. And that of an iteration with `for await`:
 * the same slices, each in a promise.
 */
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32c } from "@logstore/codec";
import type { EmbeddedLog, OpenLog } from "./embedded.ts";
import type { Sink, Source } from "./values.ts";

const LENGTH_BYTES = 4;
const HEADER_BYTES = 8;
const CHUNK_BYTES = 512 * 1024;

export const log: EmbeddedLog = {
  settings: "one file, a write per batch with its CRC-32C; read in 512 KiB without verification",
  async create(directory, { durability, way }) {
    const file = openSync(join(directory, "raw"), "w+");
    return {
      async append(source) {
        write(file, source, durability === "flushed");
      },
      async read(sink) {
        if (way !== "for await") return readAndSlice(file, sink);
        for await (const value of new RawValues(file)) sink.use(value);
      },
      appendOne(value) {
        writeSync(file, value);
        if (durability === "flushed") fdatasyncSync(file);
      },
      async close() {
        closeSync(file);
      },
    } satisfies OpenLog;
  },
};

/** A batch is its length, its CRC, and values with their lengths. */
function write(file: number, source: Source, isFlushed: boolean): void {
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    const { values } = batch;
    const bytes = Buffer.allocUnsafeSlow(HEADER_BYTES + values.length * (LENGTH_BYTES + source.valueBytes));
    let at = HEADER_BYTES;
    for (const value of values) {
      bytes.writeUInt32LE(value.length, at);
      bytes.set(value, at + LENGTH_BYTES);
      at += LENGTH_BYTES + value.length;
    }
    bytes.writeUInt32LE(bytes.length, 0);
    bytes.writeUInt32LE(crc32c(bytes.subarray(HEADER_BYTES)), LENGTH_BYTES);
    writeSync(file, bytes);
    if (isFlushed) fdatasyncSync(file);
  }
}

function readAndSlice(file: number, sink: Sink): void {
  let chunkBytes = CHUNK_BYTES;
  for (let position = 0; ; ) {
    const chunk = Buffer.allocUnsafeSlow(chunkBytes);
    const length = readSync(file, chunk, 0, chunkBytes, position);
    if (length === 0) return;
    const end = sliceBatches(chunk, length, sink);
    if (end === 0) chunkBytes *= 2; // a batch is longer than the chunk
    position += end;
  }
}

/** The least that an async iterator can do: `next()` slices a value and resolves a promise. */
class RawValues implements AsyncIterator<Uint8Array, undefined> {
  readonly #file: number;
  #chunk = Buffer.alloc(0);
  #position = 0;
  #batchEnd = 0;
  #at = 0;

  constructor(file: number) {
    this.#file = file;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#at === this.#batchEnd && !this.#nextBatch()) return Promise.resolve({ value: undefined, done: true });
    const start = this.#at + LENGTH_BYTES;
    this.#at = start + this.#chunk.readUInt32LE(this.#at);
    return Promise.resolve({ value: this.#chunk.subarray(start, this.#at), done: false });
  }

  #nextBatch(): boolean {
    if (!this.#isWhole() && !this.#readOn()) return false;
    this.#at = this.#batchEnd + HEADER_BYTES;
    this.#batchEnd += this.#chunk.readUInt32LE(this.#batchEnd);
    return true;
  }

  #isWhole(): boolean {
    const left = this.#chunk.length - this.#batchEnd;
    return left >= HEADER_BYTES && this.#chunk.readUInt32LE(this.#batchEnd) <= left;
  }

  /** Returns false at the end of the file. */
  #readOn(): boolean {
    this.#position += this.#batchEnd;
    this.#batchEnd = 0;
    for (let length = CHUNK_BYTES; ; length *= 2) {
      const chunk = Buffer.allocUnsafeSlow(length);
      this.#chunk = chunk.subarray(0, readSync(this.#file, chunk, 0, length, this.#position));
      if (this.#isWhole()) return true;
      if (this.#chunk.length < length) return false;
    }
  }
}

/** Returns the end of the last whole batch. */
function sliceBatches(chunk: Buffer, length: number, { use }: Sink): number {
  let start = 0;
  while (start + HEADER_BYTES <= length) {
    const end = start + chunk.readUInt32LE(start);
    if (end > length) break;
    for (let at = start + HEADER_BYTES; at < end; ) {
      const valueEnd = at + LENGTH_BYTES + chunk.readUInt32LE(at);
      use(chunk.subarray(at + LENGTH_BYTES, valueEnd));
      at = valueEnd;
    }
    start = end;
  }
  return start;
}
