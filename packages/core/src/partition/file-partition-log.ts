/** A partition of files that is open for writing. */
import {
  type Bytes,
  ClosedError,
  type HeaderInput,
  type LogStoreError,
  type RecordBatch,
  type StorageFailedError,
} from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import type { Appended, AppendOptions, BatchAppendOptions, PartitionLog } from "../engine/partition-log.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { LogOffsets } from "../engine/read/log-offsets.js";
import type { Checkpoint } from "../files/checkpoint-file.js";
import type { Bounds } from "../files/watermarks-file.js";
import { isClockBehind } from "../hooks/warnings.js";
import type { Segment, SegmentHome } from "../segment/segment.js";
import { SegmentList } from "../segment/segment-list.js";
import { isDiskFull, isDiskTrouble } from "../storage/disk-trouble.js";
import { allSettled, runAll } from "../storage/run-all.js";
import type { AppendAck } from "./append/append-queue.js";
import { storageFailed } from "./append/group-commit.js";
import type { StoreTies } from "./append/store-ties.js";
import type { PartitionHome, PartitionOptions } from "./partition-home.js";
import { PartitionWriting, type WritableLog, type WritingStart } from "./partition-writing.js";
import { ReadableLog } from "./read/readable-log.js";
import { PartitionTail } from "./read/tail-cache.js";
import { openLog } from "./recovery/open-log.js";
import type { RecoveredLog } from "./recovery/recovery.js";
import type { TornTail } from "./recovery/torn-tail.js";
import { type VerifyEvent, verifyLog } from "./upkeep/verify-log.js";

export class FilePartitionLog extends ReadableLog implements PartitionLog, WritableLog {
  /** What recovery truncated from the end of the log, if anything. */
  readonly tornTail: TornTail | undefined;
  readonly home: SegmentHome;
  readonly #options: PartitionOptions;
  readonly #ties: StoreTies;
  readonly #start: WritingStart;
  #made: PartitionWriting | undefined;
  #closing: Promise<void> | undefined;
  #isAbandoned = false;

  private constructor(
    { partition, tails, ties, lastPublished }: PartitionHome,
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
      damage === undefined ? recovered.expectedEnd : Math.max(recovered.expectedEnd, lastPublished?.highWatermark ?? 0);
    super({ partition, segments: new SegmentList(segments), offsets, gaps, damage, expectedEnd, tail, hooks });
    this.home = home;
    this.tornTail = recovered.tornTail;
    this.#options = options;
    this.#ties = ties;
    const { producers, lastAppendTime, checkpointSegment, isBeyondCheckpoint, failure } = recovered;
    this.#start = { producers, lastAppendTime, checkpointSegment, isBeyondCheckpoint, failure };
    if (isBeyondCheckpoint || failure !== undefined) void this.#writing; // closing has something to do, or to leave
    const now = home.storage.now();
    if (isClockBehind(now, lastAppendTime)) ties.clockIsBehind(partition, now, lastAppendTime);
  }

  get #writing(): PartitionWriting {
    this.#made ??= new PartitionWriting(this, this.home, this.#options, this.#start, this.#ties);
    return this.#made;
  }

  /**
   * Opens a partition, and recovers it if it was not closed. Its directory is created by its first
   * append.
   */
  static async open(where: PartitionHome, options: PartitionOptions): Promise<FilePartitionLog> {
    const { storage, directory, partition, indexes } = where;
    const home: SegmentHome = { storage, directory, access: "write", limits: STORED_BATCH_LIMITS, indexes };
    const { segments, recovered, startFiles } = await openLog(home, partition, where.lastPublished);
    const log = new FilePartitionLog(where, home, options, segments, recovered);
    if (!log.#hasLeftovers(startFiles)) return log;
    try {
      await log.#writing.upkeep.removeLeftovers(startFiles);
    } catch (cause) {
      if (!isDiskFull(cause) && !isDiskTrouble(cause)) {
        await log.close().catch(() => {}); // the caller gets the first error
        throw cause;
      }
      if (log.failure === undefined) log.#writing.groupCommit.fail(cause); // it can be read nevertheless
    }
    return log;
  }

  /**
   * Whether files remain of a deletion that a crash interrupted. Those of a damaged log are kept.
   */
  #hasLeftovers(startFiles: readonly string[]): boolean {
    if (this.damage !== undefined) return false;
    return startFiles.length > 0 || this.segments.countBefore(this.offsets.logStart) > 0;
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
    return this.#writing.appender.append(key, value, timestamp, headers, durability);
  }

  /**
   * Appends sealed batches, or refuses all of them; a crash may leave only the first of several.
   * Their bytes belong to the log from then on.
   *
   * @throws the errors of {@link validateBatches}, WrongExpectedOffsetError,
   * OutOfOrderSequenceError, ProducerFencedError, BufferFullError, ClosedError, StorageFailedError,
   * CorruptPartitionError
   */
  appendBatches(bytes: Uint8Array, options: BatchAppendOptions = {}): Promise<Appended> {
    return this.#writing.appender.appendBatches(bytes, options);
  }

  /**
   * The same for batches that this process has just sealed, each in a buffer that nobody else uses:
   * they need no validation, and their memory is freed as soon as the log no longer needs it.
   */
  appendOwnedBatches(batches: readonly RecordBatch[], byteLength: number, options: AppendOptions): Promise<Appended> {
    return this.#writing.appender.appendOwnedBatches(batches, byteLength, options);
  }

  /**
   * Resolves when everything appended before is durable, whatever its acknowledgement.
   *
   * @throws ClosedError, StorageFailedError, CorruptPartitionError
   */
  flush(): Promise<void> {
    return this.#writing.appender.flush();
  }

  /**
   * Resolves when every segment before the active one is durable, including its length.
   *
   * @throws ClosedError, StorageFailedError, CorruptPartitionError
   */
  async finishedDurably(): Promise<void> {
    this.checkWritable();
    await this.#writing.groupCommit.alone(() => this.#writing.writer.settleFinished());
  }

  /**
   * Deletes all records before `offset`. See {@link PartitionUpkeep.deleteRecords}.
   */
  deleteRecords(offset: number): Promise<void> {
    return this.#writing.upkeep.deleteRecords(offset, this.#whyUnwritable());
  }

  /** Deletes what exceeds the retention limits. */
  async applyRetention(): Promise<void> {
    if (this.failure === undefined) this.checkWritable();
    await this.#writing.upkeep.applyRetention();
  }

  /**
   * The checkpoint for the current end of the log, whether or not that is durable; undefined if
   * nothing was ever appended.
   *
   * @throws ClosedError, StorageFailedError, CorruptPartitionError
   */
  async mark(): Promise<Checkpoint | undefined> {
    this.checkWritable();
    const { groupCommit, writer } = this.#writing;
    return groupCommit.alone(async () => this.segments.active && writer.describe(this.offsets.logStart));
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
    return this.#made?.groupCommit.failure;
  }

  /** The close need not make records durable: the next open recovers them, if the files remain. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Completes pending appends, makes everything durable, and writes a checkpoint. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.offsets.wakeAll();
    const made = this.#made;
    await made?.groupCommit.idle();
    try {
      await runAll(
        () => this.#canFinish && made?.writer.finish(),
        () => made?.writer.settle(),
        () => this.tail?.close(),
        () => allSettled([...this.segments].map((segment) => segment.close())),
      );
    } catch (cause) {
      throw storageFailed(cause, this.partition);
    }
  }

  get #canFinish(): boolean {
    return !this.#isAbandoned && this.damage === undefined && this.failure === undefined;
  }

  /** @throws the reason why the partition accepts no appends */
  checkWritable(): void {
    const reason = this.#whyUnwritable();
    if (reason !== undefined) throw reason;
  }

  #whyUnwritable(): LogStoreError | undefined {
    const reason = this.failure ?? this.damage;
    if (reason !== undefined || !this.isClosed) return reason;
    return new ClosedError(`partition ${this.partition} is closed`, { partition: this.partition });
  }
}
