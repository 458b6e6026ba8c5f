/** Iterates over the batches of a segment file, valid or not, without changing it. */
import { type FileHandle, open } from "node:fs/promises";
import { FORMAT_MARK, HEADER_LENGTH, hasSoundServerHalf, RecordBatch, readServerHalf } from "@logstore/codec";

/** Bytes of a file. */
interface Range {
  readonly position: number;
  readonly length: number;
}

/** The content of a range of a segment file. */
export type SegmentPart = Range &
  (
    | { readonly kind: "batch"; readonly batch: RecordBatch; readonly bytes: Uint8Array }
    /** A batch with a valid header and damaged records. */
    | { readonly kind: "damagedBatch"; readonly bytes: Uint8Array; readonly reason: string }
    /** Bytes that are not a batch. */
    | { readonly kind: "damage"; readonly reason: string }
    /** An incomplete batch at the end of the file: torn by a crash, or being written. */
    | { readonly kind: "incomplete" }
    /** Zeros up to the end of the file. */
    | { readonly kind: "zeros" }
  );

const WINDOW_BYTES = 1024 * 1024;
/** Longer batches are refused by any server. */
const MAX_BATCH_BYTES = 2 ** 30;
const LIMITS = { maxBatchBytes: MAX_BATCH_BYTES, maxRecordsBytes: 2 ** 31 - 1 };

/** Yields the parts of a file in order, without gaps. */
export async function* scanSegment(path: string): AsyncGenerator<SegmentPart, void> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const window = new Window(file, size);
  for (let position = 0; position < size; ) {
    const part = await partAt(window, position, size);
    yield part;
    position += part.length;
  }
}

async function partAt(window: Window, position: number, size: number): Promise<SegmentPart> {
  const header = await window.bytes(position, HEADER_LENGTH);
  const half = header.length < HEADER_LENGTH ? undefined : readServerHalf(header, 0);
  if (half === undefined || half.batchLength < HEADER_LENGTH || half.batchLength > MAX_BATCH_BYTES) {
    return strangeBytes(window, position, size);
  }
  const length = half.batchLength;
  if (position + length > size) return { kind: "incomplete", position, length: size - position };
  const bytes = await window.bytes(position, length);
  try {
    return { kind: "batch", position, length, bytes, batch: RecordBatch.parse(bytes, 0, LIMITS).verify() };
  } catch (error) {
    return { kind: "damagedBatch", position, length, bytes, reason: (error as Error).message };
  }
}

/** Returns everything up to the next valid header. */
async function strangeBytes(window: Window, position: number, size: number): Promise<SegmentPart> {
  let areZeros = true;
  for (let at = position; at < size; ) {
    const bytes = Buffer.from(await window.bytes(at, WINDOW_BYTES));
    areZeros &&= bytes.every((byte) => byte === 0);
    for (let found = bytes.indexOf(FORMAT_MARK, at === position ? 1 : 0); found >= 0; ) {
      if (hasSoundServerHalf(bytes, found)) {
        const reason = areZeros ? "zeros in front of a batch" : "these bytes are no batch";
        return { kind: "damage", position, length: at + found - position, reason };
      }
      found = bytes.indexOf(FORMAT_MARK, found + 1);
    }
    // A header may begin at the end of these bytes.
    at = at + bytes.length === size ? size : at + bytes.length - HEADER_LENGTH;
  }
  const length = size - position;
  if (areZeros) return { kind: "zeros", position, length };
  if (length < HEADER_LENGTH) return { kind: "incomplete", position, length };
  return { kind: "damage", position, length, reason: "these bytes are no batch" };
}

/** Reads a file ahead. Returned bytes stay valid. */
class Window {
  readonly #file: FileHandle;
  readonly #size: number;
  #bytes = Buffer.alloc(0);
  #start = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** Fewer at the end of the file. */
  async bytes(position: number, length: number): Promise<Uint8Array> {
    const end = Math.min(this.#size, position + length);
    if (position < this.#start || end > this.#start + this.#bytes.length) {
      const wanted = Math.min(this.#size - position, Math.max(WINDOW_BYTES, length));
      const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(wanted), 0, wanted, position);
      this.#bytes = buffer.subarray(0, bytesRead);
      this.#start = position;
    }
    return this.#bytes.subarray(position - this.#start, end - this.#start);
  }
}
