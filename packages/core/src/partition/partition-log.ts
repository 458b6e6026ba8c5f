/** One partition: its segments, its offsets, and the way of a batch into it and out of it. */
import {
  type BatchLimits,
  type Bytes,
  ClosedError,
  type CompressionName,
  type CorruptPartitionError,
  type HeaderInput,
  InvalidArgumentError,
  type RecordBatch,
  validateBatches,
} from "@logstore/codec";
import type { Durability, Position } from "@logstore/protocol";
import { readCheckpoint } from "../files/checkpoint-file.js";
import { parseLogFileName, TEMPORARY_SUFFIX } from "../files/file-names.js";
import { STORED_BATCH_LIMITS } from "../segment/read-batches.js";
import { Segment } from "../segment/segment.js";
import { SegmentList } from "../segment/segment-list.js";
import type { Storage } from "../storage/storage.js";
import { type Appended, AppendQueue } from "./append-queue.js";
import { BatchReader, type ReadableLog } from "./batch-reader.js";
import { GroupCommit, storageFailed } from "./group-commit.js";
import { LogOffsets } from "./log-offsets.js";
import { LogWriter } from "./log-writer.js";
import { offsetOfTime } from "./offset-of-time.js";
import { type RecoveredLog, recoverLog, type TornTail } from "./recovery.js";

export interface PartitionOptions {
  readonly segmentBytes: number;
  readonly durability: Durability;
  readonly limits: BatchLimits;
  readonly compression: CompressionName;
  readonly maxQueuedBytes: number;
}

export interface AppendOptions {
  /** Default: the store's. */
  readonly durability?: Durability | undefined;
  /** Refuse the append unless this is the log end offset. */
  readonly expectedOffset?: number | undefined;
}

export class PartitionLog implements ReadableLog {
  readonly partition: number;
  readonly segments: SegmentList;
  readonly offsets: LogOffsets;
  readonly limits = STORED_BATCH_LIMITS;
  readonly damage: CorruptPartitionError | undefined;
  /** What was cut from the log's end when it was opened, if anything was. */
  readonly tornTail: TornTail | undefined;

  readonly #storage: Storage;
  readonly #options: PartitionOptions;
  readonly #queue: AppendQueue;
  readonly #writer: LogWriter;
  readonly #groupCommit: GroupCommit;
  #closing: Promise<void> | undefined;

  private constructor(
    storage: Storage,
    directory: string,
    partition: number,
    options: PartitionOptions,
    segments: Segment[],
    recovered: RecoveredLog,
  ) {
    this.#storage = storage;
    this.partition = partition;
    this.#options = options;
    this.segments = new SegmentList(segments);
    this.damage = recovered.damage;
    this.tornTail = recovered.tornTail;
    const { nextOffset } = recovered;
    this.offsets = new LogOffsets(Math.min(segments[0]?.baseOffset ?? 0, nextOffset), nextOffset);
    this.#queue = new AppendQueue(options);
    this.#writer = new LogWriter(storage, directory, this, options.segmentBytes, recovered);
    this.#groupCommit = new GroupCommit(this.#queue, options.segmentBytes, (group) => this.#writer.commit(group));
  }

  /** Opens a partition, recovering it where it was not closed. Its directory is made by its first append. */
  static async open(
    storage: Storage,
    directory: string,
    partition: number,
    options: PartitionOptions,
  ): Promise<PartitionLog> {
    const limits = STORED_BATCH_LIMITS;
    const names = (await storage.list(directory)) ?? [];
    for (const name of names) {
      if (name.endsWith(TEMPORARY_SUFFIX)) await storage.remove(`${directory}/${name}`);
    }
    const baseOffsets = names.map(parseLogFileName).filter((offset) => offset !== undefined);
    const segments = baseOffsets
      .sort((a, b) => a - b)
      .map((baseOffset) => Segment.existing(storage, directory, baseOffset, limits));
    const checkpoint = names.length === 0 ? undefined : await readCheckpoint(storage, directory);
    const recovered = await recoverLog({ storage, directory, partition, segments, checkpoint, limits });
    return new PartitionLog(storage, directory, partition, options, segments, recovered);
  }

  /**
   * Appends one record; records appended in the same turn of the event loop share a batch.
   *
   * @throws RecordTooLargeError, InvalidArgumentError, BufferFullError, ClosedError, StorageFailedError, CorruptPartitionError
   */
  append(
    key: Bytes | null,
    value: Bytes,
    timestamp: number | undefined,
    headers: readonly HeaderInput[] | undefined,
    durability: Durability | undefined,
  ): Promise<Appended> {
    this.#checkWritable();
    const { durability: byDefault } = this.#options;
    const time = timestamp ?? this.#storage.now();
    const wanted = checkDurability(durability ?? byDefault);
    const appended = this.#queue.addRecord(key, value, time, headers, wanted);
    this.#groupCommit.wake();
    return appended;
  }

  /**
   * Appends sealed batches, or refuses them all; a crash may leave the first of several. Their bytes belong to the log from here on.
   *
   * @throws what {@link validateBatches} throws, WrongExpectedOffsetError, OutOfOrderSequenceError, ProducerFencedError,
   * BufferFullError, ClosedError, StorageFailedError, CorruptPartitionError
   */
  async appendBatches(bytes: Uint8Array, options: AppendOptions = {}): Promise<Appended> {
    return this.appendValidBatches(validateBatches(bytes, this.#options.limits), bytes.length, options);
  }

  /** The same for batches that need no check: this process has just sealed them. */
  appendValidBatches(batches: readonly RecordBatch[], byteLength: number, options: AppendOptions): Promise<Appended> {
    this.#checkWritable();
    const { expectedOffset } = options;
    if (expectedOffset !== undefined && !(Number.isSafeInteger(expectedOffset) && expectedOffset >= 0)) {
      throw new InvalidArgumentError(`expected offset ${expectedOffset} is not an offset`);
    }
    const durability = checkDurability(options.durability ?? this.#options.durability);
    const appended = new Promise<Appended>((resolve, reject) => {
      this.#queue.add({ batches, byteLength, durability, expectedOffset, resolve, reject });
    });
    this.#groupCommit.wake();
    return appended;
  }

  /** @throws OffsetOutOfRangeError where the offset is before the log's start or beyond the high watermark */
  reader(offset: number): BatchReader {
    return new BatchReader(this, offset);
  }

  /** The offset that a position means now. It is not checked whether a given offset exists. */
  async resolve(position: Position): Promise<number> {
    if (typeof position === "number") return position;
    if (position === "earliest") return this.offsets.logStart;
    if (position === "latest") return this.offsets.highWatermark;
    return offsetOfTime(this, position.time);
  }

  /**
   * Resolves when there is more to read from `offset` on, the log is closed, `signal` aborts, or after `timeoutMs`; to false
   * in the last case only.
   */
  async waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    const deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    while (this.offsets.highWatermark <= offset && !this.isClosed && !signal?.aborted) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await this.offsets.change(signal, leftMs);
    }
    return true;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Finishes what waits, makes everything durable, and notes where to start from. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.offsets.wakeAll();
    await this.#groupCommit.idle();
    try {
      if (this.damage === undefined && this.#groupCommit.failure === undefined) await this.#writer.finish();
    } catch (cause) {
      throw storageFailed(cause).with({ partition: this.partition });
    } finally {
      for (const segment of this.segments) await segment.close();
    }
  }

  #checkWritable(): void {
    const { failure } = this.#groupCommit;
    if (failure !== undefined) throw failure.with({ partition: this.partition });
    if (this.damage !== undefined) throw this.damage;
    if (this.isClosed) throw new ClosedError(`partition ${this.partition} is closed`, { partition: this.partition });
  }
}

/** @throws InvalidArgumentError: a misspelt durability must not pass for the weaker one */
export function checkDurability(durability: Durability): Durability {
  if (durability === "flushed" || durability === "written") return durability;
  throw new InvalidArgumentError(`durability is "flushed" or "written", not ${JSON.stringify(durability)}`);
}
