/**
 * Reads one chunk ahead: the disk, or the thread that copies from its cache, works while the reader
 * does. Whoever wants a record or two should not pay for that: the first chunk is short, and
 * nothing is read ahead before the second. Each chunk may be longer than the one before it, until
 * there is nothing more to read: what comes then comes as it is, without delay.
 */
import type { ReadBudget } from "@logstore/protocol";
import type { LogReader } from "../partition-log.js";
import { NO_ROOM, type OwnedChunk, readInBudget, tryReadInBudget } from "./read-in-budget.js";

export interface ReadAheadOptions {
  /** How much to read at once at most, bytes, unless one batch alone is longer. */
  readonly maxBytes: number;
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** No batch is wanted that begins here or later. Default: none is left out. */
  readonly until?: number | undefined;
  /** Whether a chunk is read while the reader has the one before it. Default true. */
  readonly readAhead?: boolean | undefined;
  /** The memory of a chunk is taken from it, and is given back when the chunk is released. */
  readonly budget?: ReadBudget | undefined;
}

const FIRST_CHUNK_BYTES = 32 * 1024;
const GROWTH = 4;

export class ReadAhead {
  readonly #reader: LogReader;
  readonly #options: ReadAheadOptions;
  #offset: number;
  /** How much to read the next time. */
  #maxBytes: number;
  #hasRead = false;
  #ahead: Promise<OwnedChunk | undefined> | undefined;

  constructor(reader: LogReader, options: ReadAheadOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#offset = reader.offset;
    this.#maxBytes = this.#firstBytes;
  }

  /** Offset of the next record to be handed out. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * The next batches; undefined at the high watermark, and where no more are wanted. With a budget,
   * the chunk before is to be released first: this may wait for room.
   */
  async next(): Promise<OwnedChunk | undefined> {
    // Nothing may have been there when it was looked for ahead, or no room for it.
    const chunk = (await this.#takeAhead()) ?? (await this.#read());
    if (chunk === undefined) {
      this.#offset = this.#reader.offset; // a gap may have been passed
      this.#maxBytes = this.#firstBytes;
      return undefined;
    }
    this.#offset = chunk.nextOffset;
    if (this.#hasRead && this.#options.readAhead !== false) {
      this.#ahead = this.#tryRead();
      this.#ahead.catch(() => {}); // told to whoever takes it
    }
    this.#hasRead = true;
    return chunk;
  }

  /**
   * Releases what was read ahead; resolves when nothing is being read any more. Nothing may be read
   * from here on.
   */
  async close(): Promise<void> {
    const ahead = await this.#takeAhead()?.catch(() => undefined); // nobody waits for it, nor for why it failed
    ahead?.release();
  }

  get #firstBytes(): number {
    return Math.min(FIRST_CHUNK_BYTES, this.#options.maxBytes);
  }

  #takeAhead(): Promise<OwnedChunk | undefined> | undefined {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead;
  }

  #read(): Promise<OwnedChunk | undefined> {
    return readInBudget(this.#reader, this.#nextRead(), this.#options.budget);
  }

  /** Ahead of its time, while the reader has a chunk: it is done only where there is room now. */
  async #tryRead(): Promise<OwnedChunk | undefined> {
    const chunk = await tryReadInBudget(this.#reader, this.#nextRead(), this.#options.budget);
    return chunk === NO_ROOM ? undefined : chunk;
  }

  #nextRead() {
    const { headroomBytes, until } = this.#options;
    const options = { maxBytes: this.#maxBytes, headroomBytes, until };
    this.#maxBytes = Math.min(this.#maxBytes * GROWTH, this.#options.maxBytes);
    return options;
  }
}
