/** A partition that is open for writing. */
import {
  type Bytes,
  batchesToAppend,
  ClosedError,
  type CompressionName,
  type HeaderInput,
  InvalidArgumentError,
  type LogStoreError,
  type RecordBatch,
  type StorageFailedError,
} from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import { checkExpectedOffset } from "../engine/append/assign-offsets.js";
import { AppendCheck } from "../engine/append/check-append.js";
import type { Appended, AppendOptions, PartitionLog } from "../engine/partition-log.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { LogOffsets } from "../engine/read/log-offsets.js";
import { type Checkpoint, startFilesIn } from "../files/checkpoint-file.js";
import type { Bounds } from "../files/watermarks-file.js";
import { tell } from "../hooks/hooks.js";
import type { IndexCache } from "../segment/index-cache.js";
import type { Segment, SegmentHome } from "../segment/segment.js";
import { SegmentList } from "../segment/segment-list.js";
import { isDiskFull, isDiskTrouble } from "../storage/disk-trouble.js";
import { allSettled, runAll } from "../storage/run-all.js";
import type { Storage } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";
import { type AppendAck, AppendQueue, type AppendQueueOptions } from "./append/append-queue.js";
import { GroupCommit, storageFailed } from "./append/group-commit.js";
import { LogWriter, type PublishBounds, type StoreTies, type WriterOptions } from "./append/log-writer.js";
import { checkFileDurability } from "./file-durability.js";
import { ReadableLog } from "./read/readable-log.js";
import { PartitionTail, type TailCache } from "./read/tail-cache.js";
import { openLog } from "./recovery/open-log.js";
import type { RecoveredLog } from "./recovery/recovery.js";
import type { TornTail } from "./recovery/torn-tail.js";
import {
  type Deletion,
  deleteBefore,
  deleteWithoutRoom,
  expiredOffset,
  removeSegments,
  rollIfExpired,
} from "./upkeep/delete-records.js";
import type { RetentionLimits } from "./upkeep/retention-policy.js";
import { type VerifyEvent, verifyLog } from "./upkeep/verify-log.js";

/** The options may be altered while the partition is open. */
export interface PartitionOptions extends AppendQueueOptions, WriterOptions, RetentionLimits {
  readonly durability: Durability;
  readonly compression: CompressionName;
}

/** The location of a partition, and what it shares with the others of its store. */
export interface PartitionHome {
  readonly storage: Storage;
  readonly directory: string;
  readonly partition: number;
  readonly indexes: IndexCache;
  readonly tails: TailCache;
  readonly publishBounds: PublishBounds;
  /** Throws if the store's directory no longer belongs to this process. */
  readonly checkOwner: () => void;
  readonly clockIsBehind: StoreTies["clockIsBehind"];
  /** The bounds that were published when it was last open; undefined if they are unknown. */
  readonly said: Bounds | undefined;
}

/** One append is written as a whole, and positions in a segment have 32 bits. */
const MAX_APPEND_BYTES = 2 ** 30;

export class FilePartitionLog extends ReadableLog implements PartitionLog {
  /** What recovery truncated from the end of the log, if anything. */
  readonly tornTail: TornTail | undefined;
  readonly home: SegmentHome;
  readonly #options: PartitionOptions;
  readonly #queue: AppendQueue;
  readonly #check: AppendCheck;
  readonly #writer: LogWriter;
  readonly #groupCommit: GroupCommit;
  readonly #deletion: Deletion;
  #turnTime: number | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    { partition, tails, publishBounds, checkOwner, clockIsBehind, said }: PartitionHome,
    home: SegmentHome,
    options: PartitionOptions,
    segments: Segment[],
    recovered: RecoveredLog,
  ) {
    const { logStart, nextOffset } = recovered;
    const offsets = new LogOffsets(Math.min(logStart, nextOffset), nextOffset);
    const { gaps, damage } = recovered;
    const { hooks } = options;
    const tail = new PartitionTail(tails);
    const expectedEnd =
      damage === undefined ? recovered.expectedEnd : Math.max(recovered.expectedEnd, said?.highWatermark ?? 0);
    super({ partition, segments: new SegmentList(segments), offsets, gaps, damage, expectedEnd, tail, hooks });
    this.home = home;
    this.tornTail = recovered.tornTail;
    this.#options = options;
    this.#queue = new AppendQueue(partition, options);
    this.#check = new AppendCheck((checkingBytes, more) => this.#queue.refuseWhenFull(checkingBytes, more));
    this.#writer = new LogWriter(home, this, options, recovered, { publishBounds, checkOwner, clockIsBehind });
    this.#groupCommit = new GroupCommit(
      partition,
      this.#queue,
      options,
      (group) => this.#commit(group),
      (error) => tell(() => hooks.failed?.({ partition, error })),
      recovered.failure,
    );
    this.#deletion = { home, log: this, writer: this.#writer, hooks, publishBounds };
  }

  /**
   * Opens a partition, and recovers it if it was not closed. Its directory is created by its first
   * append.
   */
  static async open(where: PartitionHome, options: PartitionOptions): Promise<FilePartitionLog> {
    const { storage, directory, partition, indexes } = where;
    const home: SegmentHome = { storage, directory, access: "write", limits: STORED_BATCH_LIMITS, indexes };
    const { segments, recovered } = await openLog(home, partition, where.said);
    const log = new FilePartitionLog(where, home, options, segments, recovered);
    try {
      await log.#removeLeftovers();
    } catch (cause) {
      if (!isDiskFull(cause) && !isDiskTrouble(cause)) {
        await log.close().catch(() => {}); // the caller gets the first error
        throw cause;
      }
      if (log.failure === undefined) log.#groupCommit.fail(cause); // it can be read nevertheless
    }
    return log;
  }

  /**
   * Appends one record; records appended in the same turn of the event loop share a batch.
   *
   * @throws RecordTooLargeError, InvalidArgumentError, BufferFullError, ClosedError,
   * StorageFailedError, CorruptPartitionError
   */
  append(
    key: Bytes | null,
    value: Bytes,
    timestamp: number | undefined,
    headers: readonly HeaderInput[] | undefined,
    durability: Durability | undefined,
  ): Promise<AppendAck> {
    this.#checkWritable();
    const { durability: byDefault } = this.#options;
    const time = timestamp === undefined ? this.#now() : timestamp;
    const wanted = checkFileDurability(durability ?? byDefault);
    const appended = this.#queue.addRecord(key, value, time, headers, wanted);
    this.#groupCommit.wake();
    return appended;
  }

  /**
   * Appends sealed batches, or refuses all of them; a crash may leave only the first of several.
   * Their bytes belong to the log from then on.
   *
   * @throws the errors of {@link validateBatches}, WrongExpectedOffsetError,
   * OutOfOrderSequenceError, ProducerFencedError, BufferFullError, ClosedError, StorageFailedError,
   * CorruptPartitionError
   */
  async appendBatches(bytes: Uint8Array, options: AppendOptions = {}): Promise<Appended> {
    this.#checkWritable();
    const batches = batchesToAppend(bytes, this.#options.limits);
    const checking = this.#check.check(batches, bytes.length);
    if (checking !== undefined) await checking;
    return this.appendValidBatches(batches, bytes.length, options);
  }

  /** The same for batches that need no validation, because this process has just sealed them. */
  appendValidBatches(batches: readonly RecordBatch[], byteLength: number, options: AppendOptions): Promise<Appended> {
    this.#checkWritable();
    const { expectedOffset } = options;
    checkExpectedOffset(expectedOffset);
    if (byteLength > MAX_APPEND_BYTES) {
      throw new InvalidArgumentError(`one append takes ${MAX_APPEND_BYTES} bytes at most, not ${byteLength}: split it`);
    }
    const durability = checkFileDurability(options.durability ?? this.#options.durability);
    return this.#enqueue(batches, byteLength, durability, expectedOffset);
  }

  /**
   * Resolves when everything appended before is durable, whatever its acknowledgement.
   *
   * @throws ClosedError, StorageFailedError, CorruptPartitionError
   */
  async flush(): Promise<void> {
    this.#checkWritable();
    await this.#enqueue([], 0, "flushed", undefined);
  }

  /**
   * Resolves when every segment before the active one is durable, including its length.
   *
   * @throws ClosedError, StorageFailedError, CorruptPartitionError
   */
  async finishedDurably(): Promise<void> {
    this.#checkWritable();
    await this.#groupCommit.alone(() => this.#writer.settleFinished());
  }

  /**
   * Deletes all records before `offset`. See {@link deleteBefore}, and {@link deleteWithoutRoom}
   * for a partition that accepts no appends.
   */
  async deleteRecords(offset: number): Promise<void> {
    const reason = this.#whyUnwritable();
    if (reason === undefined) await this.#groupCommit.alone(() => deleteBefore(this.#deletion, offset));
    else if (this.isClosed) throw reason;
    else await this.#groupCommit.aloneAfterFailure(() => deleteWithoutRoom(this.#deletion, offset, reason));
  }

  /** Deletes what exceeds the retention limits. */
  async applyRetention(): Promise<void> {
    const { failure } = this;
    if (failure === undefined) this.#checkWritable();
    const { retentionMs, retentionBytes } = this.#options;
    if ((retentionMs === undefined && retentionBytes === undefined) || this.segments.active === undefined) return;
    if (failure === undefined) await this.#groupCommit.alone(() => rollIfExpired(this.#deletion, this.#options));
    const { partition } = this;
    const work = () => expiredOffset(this.#deletion, this.#options);
    const expired = await withStorageErrors(`partition ${partition} cannot be read`, work, { partition });
    if (this.isClosed) return; // it may have been closed
    if (failure === undefined) await this.#groupCommit.alone(() => deleteBefore(this.#deletion, expired));
    else await this.#groupCommit.aloneAfterFailure(() => this.#deleteExpired(expired, failure));
  }

  /** For a partition that accepts no appends: deletes as much as possible. */
  async #deleteExpired(offset: number, failure: StorageFailedError): Promise<void> {
    await deleteWithoutRoom(this.#deletion, offset, failure).catch((error: unknown) => {
      if (error !== failure) throw error; // there is no whole segment to delete
    });
  }

  /**
   * The checkpoint for the current end of the log, whether or not that is durable; undefined if
   * nothing was ever appended.
   *
   * @throws ClosedError, StorageFailedError, CorruptPartitionError
   */
  async mark(): Promise<Checkpoint | undefined> {
    this.#checkWritable();
    return this.#groupCommit.alone(async () => this.segments.active && this.#writer.describe(this.offsets.logStart));
  }

  /** Reads everything, and reports deviations. */
  verify(): AsyncGenerator<VerifyEvent, void> {
    return verifyLog(this, Math.max(this.expectedEnd, this.offsets.highWatermark));
  }

  /**
   * The bounds to publish; undefined if they are currently unknown. If the partition is damaged,
   * its previous end is kept.
   */
  get bounds(): Bounds | undefined {
    const { logStart, highWatermark } = this.offsets;
    if (this.damage === undefined) return { logStart, highWatermark };
    return this.damage.code === "STORAGE_FAILED" ? undefined : { logStart, highWatermark: this.expectedEnd };
  }

  override get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Why the partition has accepted no more appends since it was opened. */
  get failure(): StorageFailedError | undefined {
    return this.#groupCommit.failure;
  }

  /** Completes pending appends, makes everything durable, and writes a checkpoint. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.offsets.wakeAll();
    await this.#groupCommit.idle();
    try {
      await runAll(
        () => this.damage === undefined && this.#groupCommit.failure === undefined && this.#writer.finish(),
        () => this.#writer.settle(),
        () => this.tail?.close(),
        () => allSettled([...this.segments].map((segment) => segment.close())),
      );
    } catch (cause) {
      throw storageFailed(cause, this.partition);
    }
  }

  #enqueue(
    batches: readonly RecordBatch[],
    byteLength: number,
    durability: Durability,
    expectedOffset: number | undefined,
  ): Promise<Appended> {
    const appended = new Promise<Appended>((resolve, reject) => {
      this.#queue.add({ calls: 1, batches, byteLength, durability, expectedOffset, resolve, reject });
    });
    this.#groupCommit.wake();
    return appended;
  }

  async #commit(group: Parameters<LogWriter["commit"]>[0]): Promise<void> {
    const { active } = this.segments;
    await this.#writer.commit(group);
    if (this.segments.active === active || active === undefined) return;
    // After a roll the limits may be exceeded. The appends have been acknowledged already.
    void this.applyRetention().catch(() => {}); // it is tried again later
  }

  /** A crash may have occurred between advancing the log start and removing the files before it. */
  async #removeLeftovers(): Promise<void> {
    const { storage, directory } = this.home;
    const { logStart } = this.offsets;
    if (this.damage !== undefined) return;
    const startFiles = startFilesIn((await storage.list(directory)) ?? []);
    if (this.segments.countBefore(logStart) === 0 && startFiles.length === 0) return;
    try {
      if (this.failure === undefined) await this.#writer.checkpoint(logStart); // the last one may refer to a segment that is being removed
    } catch (cause) {
      if (!isDiskFull(cause) && !isDiskTrouble(cause)) throw cause;
      this.#groupCommit.fail(cause);
    }
    const { failure } = this;
    const upTo = failure === undefined ? logStart : Math.min(logStart, this.#writer.checkpointSegment ?? 0);
    await removeSegments(this.home, this.segments.takeBefore(upTo));
    if (failure !== undefined) return;
    for (const name of startFiles) await storage.remove(`${directory}/${name}`).catch(() => {}); // the checkpoint says it now
  }

  /**
   * Cached within one turn of the event loop, because reading the clock costs more than the rest of
   * an append.
   */
  #now(): number {
    if (this.#turnTime === undefined) {
      this.#turnTime = this.home.storage.now();
      process.nextTick(() => {
        this.#turnTime = undefined;
      });
    }
    return this.#turnTime;
  }

  #checkWritable(): void {
    const reason = this.#whyUnwritable();
    if (reason !== undefined) throw reason;
  }

  #whyUnwritable(): LogStoreError | undefined {
    const reason = this.#groupCommit.failure ?? this.damage;
    if (reason !== undefined || !this.isClosed) return reason;
    return new ClosedError(`partition ${this.partition} is closed`, { partition: this.partition });
  }
}
