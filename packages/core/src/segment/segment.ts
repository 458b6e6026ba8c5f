/**
 * One log file of a partition and its index. The last segment is written to; all others never
 * change again.
 */
import { type BatchLimits, ClosedError, LogStoreError, type RecordBatch } from "@logstore/codec";
import { indexFileName, logFileName } from "../files/file-names.js";
import { readWholeFile, TEMPORARY_SUFFIX } from "../storage/atomic-file.js";
import { isDiskTrouble } from "../storage/disk-trouble.js";
import { copyFile } from "../storage/link-or-copy.js";
import type { FileAccess, Storage, StorageFile } from "../storage/storage.js";
import type { IndexCache } from "./index-cache.js";
import { scanSegment } from "./scan-segment.js";
import { SparseIndex } from "./sparse-index.js";
import { ZEROS } from "./zeros-ahead.js";

/** Where a partition's segments are, and what they share. */
export interface SegmentHome {
  readonly storage: Storage;
  readonly directory: string;
  readonly access: FileAccess;
  readonly limits: BatchLimits;
  readonly indexes: IndexCache;
}

export class Segment {
  readonly baseOffset: number;
  readonly #home: SegmentHome;
  /** Opened at the first use: most segments of a store are never looked at. */
  #file: Promise<StorageFile> | undefined;
  /** The active segment's, which grows with it; the others' are in the cache. */
  #growingIndex: Promise<SparseIndex> | undefined;
  #size: number | undefined;
  /** Zeros lie behind the log up to here. */
  #zerosTo = 0;
  /** How far readers may look, in bytes; undefined for "to the end". */
  #visibleSize: number | undefined;
  #firstAppendTime: number | undefined;
  /** Who wants its files to stay, whatever becomes of it. */
  #holds = 0;
  #isRemoved = false;
  #isFollowed = false;
  readonly #reading = new Set<Promise<unknown>>();
  #closed = false;

  /** A segment that is on disk. */
  constructor(home: SegmentHome, baseOffset: number) {
    this.baseOffset = baseOffset;
    this.#home = home;
  }

  /** A new, empty segment, its name durable. */
  static async create(home: SegmentHome, baseOffset: number): Promise<Segment> {
    const segment = new Segment(home, baseOffset);
    const file = await home.storage.createFile(segment.path);
    segment.#file = Promise.resolve(file);
    try {
      await home.storage.syncDirectory(home.directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    segment.becomeActive(0, new SparseIndex());
    return segment;
  }

  get name(): string {
    return logFileName(this.baseOffset);
  }

  get path(): string {
    return `${this.#home.directory}/${this.name}`;
  }

  get indexPath(): string {
    return `${this.#home.directory}/${indexFileName(this.baseOffset)}`;
  }

  file(): Promise<StorageFile> {
    if (this.#file === undefined) {
      if (this.#closed) return Promise.reject(this.#closedError());
      this.#file = this.#home.storage.openFile(this.path, this.#home.access);
      this.#file.catch(() => {
        this.#file = undefined; // too many open files, say: another time it may work
      });
    }
    return this.#file;
  }

  /** Bytes of the log in the file. */
  async size(): Promise<number> {
    if (this.#isFollowed) return this.read((file) => file.size());
    this.#size ??= await this.read((file) => file.size());
    return this.#size;
  }

  /** Bytes of the log that readers may see. */
  async visibleSize(): Promise<number> {
    return this.#visibleSize ?? this.size();
  }

  /** Another process writes to it: its size is looked at whenever it is asked for. */
  follow(): void {
    this.#isFollowed = true;
    this.#size = undefined;
    this.#visibleSize = undefined;
  }

  /**
   * Append time of the first batch, whatever became of its records; undefined where there is none.
   */
  async firstAppendTime(): Promise<number | undefined> {
    this.#firstAppendTime ??= await this.read(async (file) => {
      const range = {
        position: 0,
        end: await this.visibleSize(),
        nextOffset: this.baseOffset,
        limits: this.#home.limits,
      };
      for await (const { batch } of scanSegment(file, { ...range, verify: false, chunkBytes: 1 }))
        return batch.appendTime;
      return undefined;
    });
    return this.#firstAppendTime;
  }

  /**
   * Read from its file, or made again from the log where that is missing, damaged or of another
   * size.
   */
  index(): Promise<SparseIndex> {
    return this.#growingIndex ?? this.#home.indexes.get(this, () => this.#loadIndex());
  }

  /**
   * Takes writes from here on, after `size` bytes that are known to be sound.
   *
   * @param index of these bytes, if it is at hand
   */
  becomeActive(size: number, index?: SparseIndex): void {
    this.#size = size;
    this.#visibleSize = size;
    this.#growingIndex = index && Promise.resolve(index);
  }

  /** Nothing is to be read from `size` bytes on, though there may be some. */
  endsAt(size: number, index?: SparseIndex): void {
    this.#visibleSize = size;
    if (index !== undefined) this.#growingIndex = Promise.resolve(index);
  }

  /** Is not written to any more. */
  finish(): void {
    this.#isFollowed = false;
    this.#growingIndex = undefined;
    this.#home.indexes.delete(this);
  }

  /**
   * Writes batches at the end. They are visible after {@link publish}.
   *
   * @param zeros how many to write behind them, if there are none yet
   */
  async write(batches: readonly RecordBatch[], zeros: (sizeBytes: number) => number): Promise<void> {
    const [file, index, start] = [await this.file(), await this.#indexToGrow(), await this.size()];
    const buffers = batches.map((batch) => batch.bytes);
    const end = buffers.reduce((sum, { length }) => sum + length, start);
    if (end > this.#zerosTo) {
      const ahead = zeros(end);
      if (ahead > 0) buffers.push(ZEROS.subarray(0, ahead));
      this.#zerosTo = end + ahead;
    }
    await file.write(buffers, start);
    let position = start;
    for (const batch of batches) {
      index.add(batch.baseOffset, position, batch.appendTime);
      position += batch.byteLength;
    }
    this.#size = position;
  }

  /**
   * Puts a file with its first `size` bytes in its place, durably. A file that was finished is
   * never changed: whoever has it by another name keeps it as it was. Nobody may be reading.
   */
  async replace(size: number): Promise<void> {
    const { storage, directory } = this.#home;
    const temporary = this.path + TEMPORARY_SUFFIX;
    await copyFile(storage, this.path, temporary, size);
    const old = await this.#file?.catch(() => undefined);
    this.#file = undefined;
    this.#size = undefined;
    await old?.close();
    await storage.rename(temporary, this.path);
    await storage.syncDirectory(directory);
  }

  /** Cuts the zeros behind the log. */
  async cutZeros(): Promise<void> {
    const size = await this.size();
    if (this.#zerosTo <= size) return;
    await (await this.file()).truncate(size);
    this.#zerosTo = size;
  }

  async sync(): Promise<void> {
    await (await this.file()).sync();
  }

  /** Lets readers see everything written so far. */
  publish(): void {
    this.#visibleSize = this.#size;
  }

  /**
   * Puts the index beside the log, so that the next one to open the store need not make it. A
   * cache: not synced. A new file, for the old one may be a snapshot's too.
   */
  async writeIndex(): Promise<void> {
    const content = (await this.index()).encode(this.baseOffset, await this.size());
    await this.#home.storage.remove(this.indexPath);
    const file = await this.#home.storage.createFile(this.indexPath);
    try {
      await file.write([content], 0);
    } finally {
      await file.close();
    }
  }

  /**
   * Why the index file would lead astray, compared with the log's own index; undefined where it is
   * right, or not there.
   */
  async indexFault(index: SparseIndex): Promise<string | undefined> {
    let content: Uint8Array | undefined;
    try {
      content = await readWholeFile(this.#home.storage, this.indexPath);
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      return `${indexFileName(this.baseOffset)}: the index cannot be read; it is not needed and will be made again`;
    }
    if (content === undefined || Buffer.compare(content, index.encode(this.baseOffset, await this.size())) === 0) {
      return undefined;
    }
    return `${indexFileName(this.baseOffset)} does not fit its log; it is not needed and will be made again`;
  }

  /** Reads the file; it is not closed meanwhile. */
  async read<T>(work: (file: StorageFile) => Promise<T>): Promise<T> {
    if (this.#closed) throw this.#closedError();
    const reading = this.file().then(work);
    this.#reading.add(reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(reading);
    }
  }

  /** Waits for reads under way: the descriptor must not become another file's under them. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#home.indexes.delete(this);
    await Promise.allSettled(this.#reading);
    const file = await this.#file?.catch(() => undefined);
    await file?.close();
  }

  /**
   * Keeps its files where they are until what it returns is called, even if it is removed
   * meanwhile: nobody who removes it waits. A crash leaves them to the next opening.
   */
  hold(): () => Promise<void> {
    this.#holds++;
    let isHeld = true;
    return async () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds--;
      if (this.#isRemoved) await this.#removeFiles();
    };
  }

  /**
   * Closes it and removes its files, when nobody holds them; the directory is to be synced then.
   */
  async remove(): Promise<void> {
    await this.close();
    this.#isRemoved = true;
    await this.#removeFiles();
  }

  async #removeFiles(): Promise<void> {
    if (this.#holds > 0) return;
    // The index first: one without its log would stay for ever.
    await this.#home.storage.remove(this.indexPath);
    await this.#home.storage.remove(this.path);
  }

  /** Removes the index file; it is made again when it is needed. */
  async removeIndex(): Promise<void> {
    this.#home.indexes.delete(this);
    await this.#home.storage.remove(this.indexPath);
  }

  /** The index of the first `size` bytes of the log. */
  async indexUpTo(size: number): Promise<SparseIndex> {
    const { storage, limits } = this.#home;
    const content = await readWholeFile(storage, this.indexPath).catch((error: unknown) => {
      if (!isDiskTrouble(error)) throw error; // a cache that cannot be read is made again, as one that is damaged
    });
    const known = content && SparseIndex.decode(content, this.baseOffset, size);
    if (known !== undefined) return known;
    const index = new SparseIndex();
    const range = { position: 0, end: size, nextOffset: this.baseOffset, limits, verify: false };
    try {
      for await (const { batch, position } of scanSegment(await this.file(), range)) {
        index.add(batch.baseOffset, position, batch.appendTime);
      }
    } catch (error) {
      // Damage in the log: what lies before it stays within reach, and whoever reads on comes upon
      // it and names it.
      if (!(error instanceof LogStoreError)) throw error;
    }
    return index;
  }

  #indexToGrow(): Promise<SparseIndex> {
    if (this.#growingIndex === undefined) {
      this.#growingIndex = this.#loadIndex();
      this.#growingIndex.catch(() => {
        this.#growingIndex = undefined;
      });
      this.#home.indexes.delete(this);
    }
    return this.#growingIndex;
  }

  #loadIndex(): Promise<SparseIndex> {
    return this.read(async () => this.indexUpTo(await this.size()));
  }

  #closedError(): ClosedError {
    return new ClosedError(`${this.name} is closed`);
  }
}
