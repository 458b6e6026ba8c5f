/**
 * A log file of a partition, and its index. The last segment is being written to; all others never
 * change.
 */
import type { RecordBatch } from "@logstore/codec";
import { logFileName } from "../files/file-names.js";
import { replaceFile } from "../storage/atomic-file.js";
import { copyRange } from "../storage/copy-range.js";
import type { FileAccess, StorageFile } from "../storage/storage.js";
import { writeTo } from "../storage/write-to.js";
import { LazyFile } from "./lazy-file.js";
import { scanSegment } from "./scan-segment.js";
import { type IndexHome, SegmentIndex } from "./segment-index.js";
import { SparseIndex } from "./sparse-index.js";
import { ZEROS } from "./zeros-ahead.js";

/** The location of a partition's segments, and what they share. */
export interface SegmentHome extends IndexHome {
  readonly access: FileAccess;
}

export class Segment {
  readonly baseOffset: number;
  readonly #home: SegmentHome;
  readonly indexFile: SegmentIndex;
  /** Opened lazily, because most segments of a store are never read. */
  readonly #file: LazyFile;
  #size: number | undefined;
  /** End of the preallocated zeros after the log. */
  #zerosTo = 0;
  /** Size that is visible to readers, in bytes; undefined for the whole file. */
  #visibleSize: number | undefined;
  #firstAppendTime: number | undefined;
  /** Number of holders that prevent the removal of its files. */
  #holds = 0;
  #isRemoved = false;
  #isFollowed = false;

  /** A segment that exists on disk. */
  constructor(home: SegmentHome, baseOffset: number) {
    this.baseOffset = baseOffset;
    this.#home = home;
    this.#file = new LazyFile(home.storage, this.path, home.access);
    this.indexFile = new SegmentIndex(home, this);
  }

  /** Creates an empty segment and makes its name durable. */
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

  /** Reads the file, which stays open in the meantime. */
  read<T>(work: (file: StorageFile) => Promise<T>): Promise<T> {
    return this.#file.read(work);
  }

  /** Size of the log in the file, in bytes. */
  async size(): Promise<number> {
    if (this.#isFollowed) return this.read((file) => file.size());
    this.#size ??= await this.read((file) => file.size());
    return this.#size;
  }

  /** Size of the log in a segment that accepts writes, in bytes. */
  get activeSize(): number {
    if (this.#size === undefined) throw new Error(`${this.name} is not active`);
    return this.#size;
  }

  /** Size of the log that is visible to readers, in bytes. */
  async visibleSize(): Promise<number> {
    return this.#visibleSize ?? this.size();
  }

  /** Another process writes to the segment: its size is read from the file each time. */
  follow(): void {
    this.#isFollowed = true;
    this.#size = undefined;
    this.#visibleSize = undefined;
  }

  /**
   * Append time of the first batch, even if its records are damaged; undefined if there is none.
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
   * Accepts writes from now on, after `size` bytes that are known to be valid.
   *
   * @param index of these bytes, if available
   */
  becomeActive(size: number, index?: SparseIndex): void {
    this.#size = size;
    this.#visibleSize = size;
    this.indexFile.growFrom(index);
  }

  /** Nothing is read at or after `size` bytes, even if the file is longer. */
  endsAt(size: number, index?: SparseIndex): void {
    this.#visibleSize = size;
    if (index !== undefined) this.indexFile.growFrom(index);
  }

  /** No more writes follow. */
  finish(): void {
    this.#isFollowed = false;
    this.indexFile.growFrom(undefined);
    this.indexFile.forget();
  }

  /**
   * Writes batches at the end. They become visible with {@link publish}.
   *
   * @param zeros returns how many zeros to preallocate after them, if there are none left
   * @returns undefined if they are written
   */
  write(batches: readonly RecordBatch[], zeros: (sizeBytes: number) => number): Promise<void> | undefined {
    const [file, index] = [this.#file.now, this.indexFile.growing];
    if (file !== undefined && index !== undefined) return this.#write(file, index, batches, zeros);
    return this.#openAndWrite(batches, zeros);
  }

  async #openAndWrite(batches: readonly RecordBatch[], zeros: (sizeBytes: number) => number): Promise<void> {
    await this.#write(await this.file(), await this.indexFile.getGrowing(), batches, zeros);
  }

  #write(
    file: StorageFile,
    index: SparseIndex,
    batches: readonly RecordBatch[],
    zeros: (sizeBytes: number) => number,
  ): Promise<void> | undefined {
    const start = this.activeSize;
    const buffers = batches.map((batch) => batch.bytes);
    const end = buffers.reduce((sum, { length }) => sum + length, start);
    if (end > this.#zerosTo) {
      const ahead = zeros(end);
      if (ahead > 0) buffers.push(ZEROS.subarray(0, ahead));
      this.#zerosTo = end + ahead;
    }
    const written = () => {
      let position = start;
      for (const batch of batches) {
        index.add(batch.baseOffset, position, batch.appendTime);
        position += batch.byteLength;
      }
      this.#size = position;
    };
    const writing = writeTo(file, buffers, start);
    if (writing !== undefined) return writing.then(written);
    written();
    return undefined;
  }

  /**
   * Replaces the file by a copy of its first `size` bytes, durably. A finished file is never
   * modified, because it may have another name, in a snapshot. There must be no readers.
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

  /** Truncates the preallocated zeros. */
  async cutZeros(): Promise<void> {
    const size = await this.size();
    if (this.#zerosTo <= size) return;
    await (await this.file()).truncate(size);
    this.#zerosTo = size;
  }

  async sync(): Promise<void> {
    await (await this.file()).sync();
  }

  /** Makes everything written so far visible to readers. */
  publish(): void {
    this.#visibleSize = this.#size;
  }

  /**
   * Waits for reads in progress, because the descriptor could be reused for another file during
   * them.
   */
  async close(): Promise<void> {
    this.indexFile.forget();
    await this.#file.close();
  }

  /**
   * Keeps the files until the returned function is called, even if the segment is removed in the
   * meantime; the removal does not wait. After a crash the next open removes them.
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
   * Closes the segment and removes its files once nobody holds them; the caller syncs the directory
   * then.
   */
  async remove(): Promise<void> {
    await this.close();
    this.#isRemoved = true;
    await this.#removeFiles();
  }

  async #removeFiles(): Promise<void> {
    if (this.#holds > 0) return;
    // The index first, because an index without its log would never be removed.
    await this.indexFile.remove();
    await this.#home.storage.remove(this.path);
  }
}
