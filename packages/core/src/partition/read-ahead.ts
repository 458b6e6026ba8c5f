/** Reads one chunk ahead: the disk, or the thread that copies from its cache, works while the reader does. */
import type { BatchReader, Chunk, ReadOptions } from "./batch-reader.js";

export class ReadAhead {
  readonly #reader: BatchReader;
  readonly #options: ReadOptions;
  #offset: number;
  #ahead: Promise<Chunk | undefined> | undefined;

  constructor(reader: BatchReader, options: ReadOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#offset = reader.offset;
  }

  /** Offset of the next record to be handed out. */
  get offset(): number {
    return this.#offset;
  }

  /** The next batches; undefined at the high watermark, and where no more are wanted. */
  async next(): Promise<Chunk | undefined> {
    // Nothing may have been there when it was looked for ahead, and be there now.
    const chunk = (await this.#takeAhead()) ?? (await this.#reader.next(this.#options));
    if (chunk === undefined) return undefined;
    this.#offset = chunk.nextOffset;
    this.#ahead = this.#reader.next(this.#options);
    this.#ahead.catch(() => {}); // told to whoever takes it
    return chunk;
  }

  #takeAhead(): Promise<Chunk | undefined> | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead;
  }
}
