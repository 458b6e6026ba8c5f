/**
 * Reads one chunk ahead: the disk, or the thread that copies from its cache, works while the reader does. Whoever wants a record or
 * two should not pay for that: the first chunk is short, and nothing is read ahead before the second.
 */
import type { BatchReader, Chunk, ReadOptions } from "./batch-reader.js";

export interface ReadAheadOptions extends Omit<ReadOptions, "into"> {
  /**
   * Whether a chunk may be overwritten once the next one is asked for. Two buffers then take turns: a new one for every chunk
   * would have the garbage collector run most of the time. Default false.
   */
  readonly reuseBuffers?: boolean | undefined;
}

const FIRST_CHUNK_BYTES = 32 * 1024;
const GROWTH = 4;

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
    this.#maxBytes = Math.min(FIRST_CHUNK_BYTES, options.maxBytes);
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

  #takeAhead(): Promise<Chunk | undefined> | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead;
  }

  #read(): Promise<Chunk | undefined> {
    const maxBytes = this.#maxBytes;
    this.#maxBytes = Math.min(maxBytes * GROWTH, this.#options.maxBytes);
    const into = this.#options.reuseBuffers ? this.#nextBuffer() : undefined;
    return this.#reader.next({ ...this.#options, maxBytes, into });
  }

  #nextBuffer(): Uint8Array {
    const { maxBytes, headroomBytes = 0 } = this.#options;
    const buffer = this.#buffers.shift() ?? Buffer.allocUnsafeSlow(headroomBytes + maxBytes);
    this.#buffers.push(buffer);
    return buffer;
  }
}
