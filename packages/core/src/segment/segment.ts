/** One log file of a partition and its index. The last segment is written to; all others never change again. */
import { type BatchLimits, ClosedError, LogStoreError, type RecordBatch } from "@logstore/codec";
import { indexFileName, logFileName } from "../files/file-names.js";
import { readWholeFile } from "../storage/atomic-file.js";
import type { Storage, StorageFile } from "../storage/storage.js";
import { scanSegment } from "./scan-segment.js";
import { SparseIndex } from "./sparse-index.js";

export class Segment {
  readonly baseOffset: number;
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #limits: BatchLimits;
  /** Opened at the first use: most segments of a store are never looked at. */
  #file: Promise<StorageFile> | undefined;
  #index: Promise<SparseIndex> | undefined;
  #size: number | undefined;
  /** How far readers may look, in bytes; undefined for "to the end". */
  #visibleSize: number | undefined;
  readonly #reading = new Set<Promise<unknown>>();
  #closed = false;

  private constructor(storage: Storage, directory: string, baseOffset: number, limits: BatchLimits) {
    this.baseOffset = baseOffset;
    this.#storage = storage;
    this.#directory = directory;
    this.#limits = limits;
  }

  /** A segment that is on disk. */
  static existing(storage: Storage, directory: string, baseOffset: number, limits: BatchLimits): Segment {
    return new Segment(storage, directory, baseOffset, limits);
  }

  /** A new, empty segment, its name durable. */
  static async create(storage: Storage, directory: string, baseOffset: number, limits: BatchLimits): Promise<Segment> {
    const segment = new Segment(storage, directory, baseOffset, limits);
    segment.#file = Promise.resolve(await storage.createFile(segment.path));
    await storage.syncDirectory(directory);
    segment.becomeActive(0, new SparseIndex());
    return segment;
  }

  get name(): string {
    return logFileName(this.baseOffset);
  }

  get path(): string {
    return `${this.#directory}/${this.name}`;
  }

  file(): Promise<StorageFile> {
    if (this.#file === undefined) {
      if (this.#closed) return Promise.reject(this.#closedError());
      this.#file = this.#storage.openFile(this.path, "write");
      this.#file.catch(() => {
        this.#file = undefined; // too many open files, say: another time it may work
      });
    }
    return this.#file;
  }

  /** Bytes of the log in the file. */
  async size(): Promise<number> {
    this.#size ??= await this.read((file) => file.size());
    return this.#size;
  }

  /** Bytes of the log that readers may see. */
  async visibleSize(): Promise<number> {
    return this.#visibleSize ?? this.size();
  }

  /** Read from its file, or made again from the log where that is missing, damaged or of another size. */
  index(): Promise<SparseIndex> {
    if (this.#index === undefined) {
      this.#index = this.read(async () => this.indexUpTo(await this.size()));
      this.#index.catch(() => {
        this.#index = undefined;
      });
    }
    return this.#index;
  }

  /** Takes writes from here on, after `size` bytes that are known to be sound. */
  becomeActive(size: number, index: SparseIndex): void {
    this.#size = size;
    this.#visibleSize = size;
    this.#index = Promise.resolve(index);
  }

  /** Writes batches at the end. They are visible after {@link publish}. */
  async write(batches: readonly RecordBatch[]): Promise<void> {
    const [file, index, start] = [await this.file(), await this.index(), await this.size()];
    await file.write(
      batches.map((batch) => batch.bytes),
      start,
    );
    let position = start;
    for (const batch of batches) {
      index.add(batch.baseOffset, position, batch.appendTime);
      position += batch.byteLength;
    }
    this.#size = position;
  }

  async sync(): Promise<void> {
    await (await this.file()).sync();
  }

  /** Lets readers see everything written so far. */
  publish(): void {
    this.#visibleSize = this.#size;
  }

  /** Puts the index beside the log, so that the next one to open the store need not make it. A cache: not synced. */
  async writeIndex(): Promise<void> {
    const content = (await this.index()).encode(this.baseOffset, await this.size());
    const file = await this.#storage.createFile(`${this.#directory}/${indexFileName(this.baseOffset)}`);
    try {
      await file.write([content], 0);
    } finally {
      await file.close();
    }
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
    await Promise.allSettled(this.#reading);
    const file = await this.#file?.catch(() => undefined);
    await file?.close();
  }

  #closedError(): ClosedError {
    return new ClosedError(`${this.name} is closed`);
  }

  /** The index of the first `size` bytes of the log. */
  async indexUpTo(size: number): Promise<SparseIndex> {
    const content = await readWholeFile(this.#storage, `${this.#directory}/${indexFileName(this.baseOffset)}`);
    const known = content && SparseIndex.decode(content, this.baseOffset, size);
    if (known !== undefined) return known;
    const index = new SparseIndex();
    const range = { position: 0, end: size, nextOffset: this.baseOffset, limits: this.#limits, verify: false };
    try {
      for await (const { batch, position } of scanSegment(await this.file(), range)) {
        index.add(batch.baseOffset, position, batch.appendTime);
      }
    } catch (error) {
      // Damage in the log: what lies before it stays within reach, and whoever reads on comes upon it and names it.
      if (!(error instanceof LogStoreError)) throw error;
    }
    return index;
  }
}
