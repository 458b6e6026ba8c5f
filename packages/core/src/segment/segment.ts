/**
 * One log file of a partition and its index. The last segment is written to; all others never
 * change again.
 */
import type { RecordBatch } from "@logstore/codec";
import { logFileName } from "../files/file-names.js";
import { replaceFile } from "../storage/atomic-file.js";
import { copyRange } from "../storage/copy-range.js";
import type { FileAccess, StorageFile } from "../storage/storage.js";
import { LazyFile } from "./lazy-file.js";
import { scanSegment } from "./scan-segment.js";
import { type IndexHome, SegmentIndex } from "./segment-index.js";
import { SparseIndex } from "./sparse-index.js";
import { ZEROS } from "./zeros-ahead.js";

/** Where a partition's segments are, and what they share. */
export interface SegmentHome extends IndexHome {
  readonly access: FileAccess;
}

export class Segment {
  readonly baseOffset: number;
  readonly #home: SegmentHome;
  readonly indexFile: SegmentIndex;
  /** Most segments of a store are never looked at. */
  readonly #file: LazyFile;
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

  /** A segment that is on disk. */
  constructor(home: SegmentHome, baseOffset: number) {
    this.baseOffset = baseOffset;
    this.#home = home;
    this.#file = new LazyFile(home.storage, this.path, home.access);
    this.indexFile = new SegmentIndex(home, this);
  }

  /** A new, empty segment, its name durable. */
  static async create(home: SegmentHome, baseOffset: number): Promise<Segment> {
    const segment = new Segment(home, baseOffset);
    const file = await home.storage.createFile(segment.path);
    segment.#file.opened(file);
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

  file(): Promise<StorageFile> {
    return this.#file.get();
  }

  /** Reads the file; it is not closed meanwhile. */
  read<T>(work: (file: StorageFile) => Promise<T>): Promise<T> {
    return this.#file.read(work);
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

  index(): Promise<SparseIndex> {
    return this.indexFile.get();
  }

  /**
   * Takes writes from here on, after `size` bytes that are known to be sound.
   *
   * @param index of these bytes, if it is at hand
   */
  becomeActive(size: number, index?: SparseIndex): void {
    this.#size = size;
    this.#visibleSize = size;
    this.indexFile.growFrom(index);
  }

  /** Nothing is to be read from `size` bytes on, though there may be some. */
  endsAt(size: number, index?: SparseIndex): void {
    this.#visibleSize = size;
    if (index !== undefined) this.indexFile.growFrom(index);
  }

  /** Is not written to any more. */
  finish(): void {
    this.#isFollowed = false;
    this.indexFile.growFrom(undefined);
    this.indexFile.forget();
  }

  /**
   * Writes batches at the end. They are visible after {@link publish}.
   *
   * @param zeros how many to write behind them, if there are none yet
   */
  async write(batches: readonly RecordBatch[], zeros: (sizeBytes: number) => number): Promise<void> {
    const [file, index, start] = [await this.file(), await this.indexFile.getGrowing(), await this.size()];
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
    const copy = (file: StorageFile) => this.#copyTo(file, size);
    await replaceFile(storage, directory, this.name, copy, () => this.#file.closeForNow());
    this.#size = undefined;
  }

  async #copyTo(copy: StorageFile, size: number): Promise<void> {
    const source = await this.#home.storage.openFile(this.path, "read");
    try {
      await copyRange(source, 0, size, copy, 0);
    } finally {
      await source.close();
    }
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

  /** Waits for reads under way: the descriptor must not become another file's under them. */
  async close(): Promise<void> {
    this.indexFile.forget();
    await this.#file.close();
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
    await this.indexFile.remove();
    await this.#home.storage.remove(this.path);
  }
}
