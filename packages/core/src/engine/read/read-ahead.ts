/**
 * Reads one chunk ahead, so that the disk works in parallel with the reader. A reader that wants
 * only one or two records should not pay for that: the first chunk is small, and nothing is read
 * ahead before the second. Each chunk may be larger than the previous one, until the end is
 * reached, after which new records are returned without delay.
 */
import type { ReadBudget } from "@logstore/protocol";
import type { LogReader, ReadOptions } from "../partition-log.js";
import { NO_ROOM, type OwnedChunk, readInBudget, readNow, tryReadInBudget } from "./read-in-budget.js";

export interface ReadAheadOptions {
  /** Largest size of one read, in bytes, unless a single batch is larger. */
  readonly maxBytes: number;
  /** Bytes left free before the batches in their buffer. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** Batches that begin at or after this offset are not needed. Default: all are. */
  readonly until?: number | undefined;
  /** Whether a chunk is read while the reader processes the previous one. Default true. */
  readonly readAhead?: boolean | undefined;
  /** The budget from which the memory of chunks is taken, until they are released. */
  readonly budget?: ReadBudget | undefined;
}

const FIRST_CHUNK_BYTES = 32 * 1024;
const GROWTH = 4;

export class ReadAhead {
  readonly #reader: LogReader;
  readonly #options: ReadAheadOptions;
  #offset: number;
  /** Largest size of the next read. */
  #maxBytes: number;
  #hasRead = false;
  #ahead: Promise<OwnedChunk | undefined> | undefined;

  constructor(reader: LogReader, options: ReadAheadOptions) {
    this.#reader = reader;
    this.#options = options;
    this.#offset = reader.offset;
    this.#maxBytes = this.#firstBytes;
  }

  /** Offset of the next record to return. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Returns the next batches, as a promise if that takes time; undefined at the high watermark, and
   * if no more are needed. With a budget, the previous chunk must be released first, because this
   * call may wait for room.
   */
  next(): OwnedChunk | undefined | Promise<OwnedChunk | undefined> {
    if (this.#ahead !== undefined) return this.#nextAhead(this.#ahead);
    const read = this.#nextRead();
    const chunk = readNow(this.#reader, read, this.#options.budget);
    // What comes next is most likely in memory, too: it is not read ahead.
    return chunk === "later" ? this.#nextLater(read) : this.#found(chunk);
  }

  async #nextAhead(ahead: Promise<OwnedChunk | undefined>): Promise<OwnedChunk | undefined> {
    this.#ahead = undefined;
    // It may have found nothing, or no room.
    return this.#readAhead((await ahead) ?? (await this.#read(this.#nextRead())));
  }

  async #nextLater(read: ReadOptions): Promise<OwnedChunk | undefined> {
    return this.#readAhead(await this.#read(read));
  }

  #readAhead(chunk: OwnedChunk | undefined): OwnedChunk | undefined {
    if (chunk !== undefined && this.#hasRead && this.#options.readAhead !== false) {
      this.#ahead = this.#tryRead();
      this.#ahead.catch(() => {}); // reported to the caller that takes it
    }
    return this.#found(chunk);
  }

  #found(chunk: OwnedChunk | undefined): OwnedChunk | undefined {
    if (chunk === undefined) {
      this.#offset = this.#reader.offset; // a gap may have been skipped
      this.#maxBytes = this.#firstBytes;
      return undefined;
    }
    this.#offset = chunk.nextOffset;
    this.#hasRead = true;
    return chunk;
  }

  /** Releases what was read ahead; resolves when no read is in progress. No reads may follow. */
  async close(): Promise<void> {
    const ahead = await this.#ahead?.catch(() => undefined); // its result and its error are no longer needed
    this.#ahead = undefined;
    ahead?.release();
  }

  get #firstBytes(): number {
    return Math.min(FIRST_CHUNK_BYTES, this.#options.maxBytes);
  }

  #read(read: ReadOptions): Promise<OwnedChunk | undefined> {
    return readInBudget(this.#reader, read, this.#options.budget);
  }

  /** Reads ahead while the reader has a chunk, and therefore only if there is room at once. */
  async #tryRead(): Promise<OwnedChunk | undefined> {
    const chunk = await tryReadInBudget(this.#reader, this.#nextRead(), this.#options.budget);
    return chunk === NO_ROOM ? undefined : chunk;
  }

  #nextRead(): ReadOptions {
    const { headroomBytes, until } = this.#options;
    const options = { maxBytes: this.#maxBytes, headroomBytes, until };
    this.#maxBytes = Math.min(this.#maxBytes * GROWTH, this.#options.maxBytes);
    return options;
  }
}
