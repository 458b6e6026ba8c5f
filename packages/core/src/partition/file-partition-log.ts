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
import type { Appended, AppendOptions, PartitionLog } from "../engine/partition-log.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { LogOffsets } from "../engine/read/log-offsets.js";
import type { Checkpoint } from "../files/checkpoint-file.js";
import type { Bounds } from "../files/watermarks-file.js";
import { tell } from "../hooks/hooks.js";
import type { Segment, SegmentHome } from "../segment/segment.js";
import { SegmentList } from "../segment/segment-list.js";
import { isDiskFull, isDiskTrouble } from "../storage/disk-trouble.js";
import { allSettled, runAll } from "../storage/run-all.js";
import { type AppendAck, AppendQueue } from "./append/append-queue.js";
import { Appender } from "./append/appender.js";
import { GroupCommit, storageFailed } from "./append/group-commit.js";
import { LogWriter } from "./append/log-writer.js";
import type { PartitionHome, PartitionOptions } from "./partition-home.js";
import { ReadableLog } from "./read/readable-log.js";
import { PartitionTail } from "./read/tail-cache.js";
import { openLog } from "./recovery/open-log.js";
import type { RecoveredLog } from "./recovery/recovery.js";
import type { TornTail } from "./recovery/torn-tail.js";
import { PartitionUpkeep } from "./upkeep/partition-upkeep.js";
import { type VerifyEvent, verifyLog } from "./upkeep/verify-log.js";

export class FilePartitionLog extends ReadableLog implements PartitionLog {
  /** What recovery truncated from the end of the log, if anything. */
  readonly tornTail: TornTail | undefined;
  readonly home: SegmentHome;
  readonly #writer: LogWriter;
  readonly #groupCommit: GroupCommit;
  readonly #appender: Appender;
  readonly #upkeep: PartitionUpkeep;
  #closing: Promise<void> | undefined;
  #isAbandoned = false;

  private constructor(
    { partition, tails, publishBounds, checkOwner, clockIsBehind, lastPublished }: PartitionHome,
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
    const queue = new AppendQueue(partition, options);
    this.#writer = new LogWriter(home, this, options, recovered, { publishBounds, checkOwner, clockIsBehind });
    this.#groupCommit = new GroupCommit(
      partition,
      queue,
      options,
      (group) => this.#commit(group),
      (error) => tell(() => hooks.failed?.({ partition, error })),
      recovered.failure,
    );
    const deletion = { home, log: this, writer: this.#writer, hooks, publishBounds };
    this.#upkeep = new PartitionUpkeep(deletion, this.#groupCommit, options);
    this.#appender = new Appender(queue, this.#groupCommit, options, home.storage, () => this.#checkWritable());
  }

  /**
   * Opens a partition, and recovers it if it was not closed. Its directory is created by its first
   * append.
   */
  static async open(where: PartitionHome, options: PartitionOptions): Promise<FilePartitionLog> {
    const { storage, directory, partition, indexes } = where;
    const home: SegmentHome = { storage, directory, access: "write", limits: STORED_BATCH_LIMITS, indexes };
    const { segments, recovered } = await openLog(home, partition, where.lastPublished);
    const log = new FilePartitionLog(where, home, options, segments, recovered);
    try {
      await log.#upkeep.removeLeftovers();
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
    return this.#appender.append(key, value, timestamp, headers, durability);
  }

  /**
   * Appends sealed batches, or refuses all of them; a crash may leave only the first of several.
   * Their bytes belong to the log from then on.
   *
   * @throws the errors of {@link validateBatches}, WrongExpectedOffsetError,
   * OutOfOrderSequenceError, ProducerFencedError, BufferFullError, ClosedError, StorageFailedError,
   * CorruptPartitionError
   */
  appendBatches(bytes: Uint8Array, options: AppendOptions = {}): Promise<Appended> {
    return this.#appender.appendBatches(bytes, options);
  }

  /**
   * The same for batches that this process has just sealed, each in a buffer that nobody else uses:
   * they need no validation, and their memory is freed as soon as the log no longer needs it.
   */
  appendOwnedBatches(batches: readonly RecordBatch[], byteLength: number, options: AppendOptions): Promise<Appended> {
    return this.#appender.appendOwnedBatches(batches, byteLength, options);
  }

  /**
   * Resolves when everything appended before is durable, whatever its acknowledgement.
   *
   * @throws ClosedError, StorageFailedError, CorruptPartitionError
   */
  flush(): Promise<void> {
    return this.#appender.flush();
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
   * Deletes all records before `offset`. See {@link PartitionUpkeep.deleteRecords}.
   */
  deleteRecords(offset: number): Promise<void> {
    return this.#upkeep.deleteRecords(offset, this.#whyUnwritable());
  }

  /** Deletes what exceeds the retention limits. */
  async applyRetention(): Promise<void> {
    if (this.failure === undefined) this.#checkWritable();
    await this.#upkeep.applyRetention();
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
    await this.#groupCommit.idle();
    try {
      await runAll(
        () => this.#canFinish && this.#writer.finish(),
        () => this.#writer.settle(),
        () => this.tail?.close(),
        () => allSettled([...this.segments].map((segment) => segment.close())),
      );
    } catch (cause) {
      throw storageFailed(cause, this.partition);
    }
  }

  get #canFinish(): boolean {
    return !this.#isAbandoned && this.damage === undefined && this.#groupCommit.failure === undefined;
  }

  async #commit(group: Parameters<LogWriter["commit"]>[0]): Promise<void> {
    const { active } = this.segments;
    await this.#writer.commit(group);
    if (this.segments.active === active || active === undefined) return;
    // After a roll the limits may be exceeded. The appends have been acknowledged already.
    void this.applyRetention().catch(() => {}); // it is tried again later
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
