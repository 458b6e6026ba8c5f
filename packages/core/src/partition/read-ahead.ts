/**
 * Reads one chunk ahead: the disk, or the thread that copies from its cache, works while the reader does. Whoever wants a record or
 * two should not pay for that: the first chunk is short, and nothing is read ahead before the second. Each chunk may be longer
 * than the one before it, until there is nothing more to read: what comes then comes as it is, without delay.
 */
import type { ReadBudget } from "@logstore/protocol";
import type { BatchReader, Chunk } from "./batch-reader.js";
import { readInBudget } from "./read-in-budget.js";

export interface ReadAheadOptions {
  /** How much to read at once at most, bytes, unless one batch alone is longer. */
  readonly maxBytes: number;
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** No batch is wanted that begins here or later. Default: none is left out. */
  readonly until?: number | undefined;
  /**
   * Whether a chunk may be overwritten once the next one is asked for. Two buffers then take turns: a new one for every chunk
   * would have the garbage collector run most of the time. Default false.
   */
  readonly reuseBuffers?: boolean | undefined;
  /** The bytes of a chunk are taken from it, and are given back by whoever got the chunk. */
  readonly budget?: ReadBudget | undefined;
}

const FIRST_CHUNK_BYTES = 32 * 1024;
const GROWTH = 4;
/** A buffer that is longer than what is needed by more than this is not kept. */
const MAX_BUFFER_EXCESS = 4;

export class ReadAhead {
  readonly #reader: BatchReader;
  readonly #options: ReadAheadOptions;
  #offset: number;
  /** How much to read the next time. */
  #maxBytes: number;
  #hasRead = false;
  #ahead: Promise<Chunk | undefined> | undefined;
  /** The one to read to next, and the one that was read to last. */
  #buffers: (Uint8Array | undefined)[] = [undefined, undefined];

  constructor(reader: BatchReader, options: ReadAheadOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#offset = reader.offset;
    this.#maxBytes = this.#firstBytes;
  }

  /** Offset of the next record to be handed out. */
  get offset(): number {
    return this.#offset;
  }

  /** The next batches; undefined at the high watermark, and where no more are wanted. */
  async next(): Promise<Chunk | undefined> {
    // Nothing may have been there when it was looked for ahead, and be there now.
    const chunk = (await this.#takeAhead()) ?? (await this.#read());
    if (chunk === undefined) {
      this.#offset = this.#reader.offset; // a gap may have been passed
      this.#buffers = [undefined, undefined]; // one who waits, perhaps for long, holds nothing
      this.#maxBytes = this.#firstBytes;
      return undefined;
    }
    this.#offset = chunk.nextOffset;
    if (this.#hasRead) {
      this.#ahead = this.#read();
      this.#ahead.catch(() => {}); // told to whoever takes it
    }
    this.#hasRead = true;
    return chunk;
  }

  get #firstBytes(): number {
    return Math.min(FIRST_CHUNK_BYTES, this.#options.maxBytes);
  }

  #takeAhead(): Promise<Chunk | undefined> | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead;
  }

  #read(): Promise<Chunk | undefined> {
    const { headroomBytes, until, reuseBuffers, budget } = this.#options;
    const bufferOf = reuseBuffers ? (length: number) => this.#nextBuffer(length) : undefined;
    const options = { maxBytes: this.#maxBytes, headroomBytes, until, bufferOf };
    this.#maxBytes = Math.min(this.#maxBytes * GROWTH, this.#options.maxBytes);
    return budget === undefined ? this.#reader.next(options) : readInBudget(this.#reader, options, budget);
  }

  #nextBuffer(length: number): Uint8Array {
    const kept = this.#buffers.shift();
    const fits = kept !== undefined && kept.length >= length && kept.length <= length * MAX_BUFFER_EXCESS;
    const buffer = fits ? kept : Buffer.allocUnsafeSlow(length);
    this.#buffers.push(buffer);
    return buffer;
  }
}
