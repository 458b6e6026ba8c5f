/** The face of a log store that is open for writing. */
import type { Bytes, RecordInput, Timer } from "@logstore/codec";
import type { AppendOptions } from "../engine/partition-log.js";
import type { AppendAck } from "../partition/append/append-queue.js";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { RepairAction } from "../partition/upkeep/repair-log.js";
import type { VerifyEvent } from "../partition/upkeep/verify-log.js";
import type { StoreSnapshot } from "../snapshot/copy-store.js";
import type { GuardedStorage } from "../storage/directory-guard.js";
import { trimmedPath } from "../storage/home.js";
import type { Lock } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";
import { applyRetention, startRetention } from "./apply-retention.js";
import type { AppendRecordOptions, ReadOptions, TailOptions } from "./call-options.js";
import { checkAlteredOptions, checkRepairOptions, checkSnapshotOptions } from "./check-options.js";
import { Maintenance } from "./maintenance.js";
import { closeStore, openLockedStore, openStore, type StoreParts } from "./open-store.js";
import {
  type AlterableOptions,
  alteredOptions,
  type LogStoreOptions,
  type ReadOnlyOptions,
  resolveOptions,
} from "./options.js";
import { Partition } from "./partition.js";
import { ReadOnlyLogStore } from "./read-only-log-store.js";
import { RecordAppender } from "./record-appender.js";
import type { RecordStream } from "./record-stream.js";
import { readRecords, tailRecords } from "./record-streams.js";
import type { StoreCaches } from "./store-caches.js";
import { failedPartitions, type RecoveryReport, recoveryReports } from "./store-health.js";
import { partitionAt } from "./unknown-partition.js";

/**
 * A partitioned, append-only log in a directory, or in memory if the directory is ":memory:".
 * Records with the same key go to the same partition, which keeps their order. Only one process at
 * a time can open a store for writing. An append resolves when its durability is reached. Every
 * error is a LogStoreError.
 */
export class LogStore implements AsyncDisposable {
  readonly #parts: StoreParts;
  readonly #appender: RecordAppender;
  readonly #maintenance: Maintenance;
  readonly #retention: Timer;
  /** The options as given to `open`, with later alterations. */
  #given: LogStoreOptions;
  #closing: Promise<void> | undefined;

  private constructor(parts: StoreParts) {
    const { partitions, options, storage, given } = parts;
    this.#parts = parts;
    this.#given = given;
    this.#appender = new RecordAppender(partitions, options, storage);
    this.#maintenance = new Maintenance(parts);
    this.#retention = startRetention(() => this.applyRetention());
  }

  /**
   * Opens the log store in a directory, and creates it if it does not exist. ":memory:" is a new
   * store in memory. A store that was not closed is recovered; {@link recovery} reports what was
   * found.
   *
   * @throws LockedError, NotALogStoreError, UnsupportedFormatVersionError,
   * PartitionCountMismatchError, PartitionerMismatchError, InvalidArgumentError, StorageFailedError
   */
  static open(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
    return withStorageErrors(
      `${directory} cannot be opened`,
      async () => new LogStore(await openStore(directory, options)),
    );
  }

  /**
   * Opens a log store for reading, also while another process writes to it. Nothing in the
   * directory is modified.
   *
   * @throws NotALogStoreError, UnsupportedFormatVersionError, StorageFailedError
   */
  static openReadOnly(directory: string, options: ReadOnlyOptions = {}): Promise<ReadOnlyLogStore> {
    return withStorageErrors(`${directory} cannot be read`, () => ReadOnlyLogStore.open(directory, options));
  }

  /** @internal Opens a store in a directory that is locked already. */
  static async openLocked(
    path: string,
    given: LogStoreOptions,
    storage: GuardedStorage,
    caches: StoreCaches,
    lock?: Lock, // released when the store is closed
  ): Promise<LogStore> {
    return new LogStore(await openLockedStore(path, given, storage, caches, lock));
  }

  get partitionCount(): number {
    return this.#parts.partitions.length;
  }

  /**
   * 32 random hex digits, from `store.json`. Distinguishes the store from another one that was at
   * the same path.
   */
  get id(): string {
    return this.#parts.identity.id;
  }

  /** Name of the function that maps keys to partitions. */
  get partitioner(): string {
    return this.#parts.options.partitioner.name;
  }

  /** What opening the store found, apart from what a clean close leaves; usually nothing. */
  get recovery(): readonly RecoveryReport[] {
    return recoveryReports(this.#parts.partitions);
  }

  /**
   * Partitions that are known to be unreadable to their end, or that accept no appends. See
   * {@link verify} and {@link repair}.
   */
  get failedPartitions(): readonly number[] {
    const { partitions, storage } = this.#parts;
    return failedPartitions(partitions, storage.guard.failure !== undefined);
  }

  /**
   * Appends a record to the partition of its key. Resolves when its durability is reached. Records
   * appended in the same turn of the event loop are written together.
   *
   * @throws RecordTooLargeError, InvalidArgumentError, UnknownPartitionError,
   * WrongExpectedOffsetError, BufferFullError, ClosedError, StorageFailedError,
   * CorruptPartitionError
   */
  append(key: Bytes | null, value: Bytes, options?: AppendRecordOptions): Promise<AppendAck> {
    return this.#appender.append(key, value, options);
  }

  /**
   * Appends records to one partition, with one promise for all. Either all are accepted or none. A
   * crash may leave only the first ones if they do not fit into one batch (1 MiB).
   *
   * @throws the errors of {@link append}
   */
  appendMany(partition: number, records: Iterable<RecordInput>, options: AppendOptions = {}): Promise<AppendAck> {
    return this.#appender.appendMany(partition, records, options);
  }

  /** Reads the records of a partition up to its end at the time when the iteration starts. */
  read(partition: number, options: ReadOptions = {}): RecordStream {
    return readRecords(this.log(partition), options);
  }

  /** Reads the records of a partition, and then those that are appended later. */
  tail(partition: number, options: TailOptions = {}): RecordStream {
    return tailRecords(this.log(partition), options);
  }

  /**
   * Returns the partition of a key.
   *
   * @throws InvalidArgumentError if the key is neither a string nor a Uint8Array
   */
  partitionOf(key: Bytes): number {
    return this.#appender.partitionOf(key);
  }

  /** @throws UnknownPartitionError */
  partition(index: number): Partition {
    return new Partition(this.log(index));
  }

  /**
   * Resolves when everything appended before is durable, in one partition or in all.
   *
   * @throws UnknownPartitionError, ClosedError, StorageFailedError, CorruptPartitionError
   */
  async flush(partition?: number): Promise<void> {
    const logs = partition === undefined ? this.#parts.partitions : [this.log(partition)];
    await Promise.all(logs.map((log) => log.flush()));
  }

  /**
   * Deletes all records of a partition before `beforeOffset`: they can no longer be read, and a
   * file is removed when all its records are deleted. Resolves when the deletion is durable.
   *
   * @throws OffsetOutOfRangeError if the offset is above the high watermark; UnknownPartitionError,
   * ClosedError, StorageFailedError, CorruptPartitionError
   */
  async deleteRecords(partition: number, beforeOffset: number): Promise<void> {
    await this.log(partition).deleteRecords(beforeOffset);
  }

  /** Deletes the records that exceed `retentionMs` or `retentionBytes`. Also done once a minute. */
  async applyRetention(): Promise<void> {
    const { partitions, options } = this.#parts;
    if (options.retentionMs === undefined && options.retentionBytes === undefined) return;
    await applyRetention(partitions);
  }

  /**
   * Reads everything, including the checksums, and reports damage. Nothing is modified, and appends
   * and reads continue meanwhile. There is a progress event for about every MiB.
   */
  async *verify(): AsyncGenerator<VerifyEvent, void> {
    for (const log of this.#parts.partitions) yield* log.verify();
  }

  /**
   * Repairs damaged partitions, or with `dryRun`, the default, returns what a repair would do.
   * Reads everything first. Damaged bytes are copied to `.damaged` files and removed from the log;
   * intact records are kept; the offsets of lost records become gaps and are not assigned again. A
   * partition that is repaired is closed and reopened: its readers and writers get a ClosedError.
   *
   * @throws StorageFailedError; the repair can be started again
   */
  async repair(options: { readonly dryRun?: boolean | undefined } = {}): Promise<RepairAction[]> {
    checkRepairOptions(options);
    const { dryRun = true } = options;
    return this.#maintenance.repair(dryRun);
  }

  /**
   * Copies the store, as it is now, to a new directory, which is a log store of its own. The copy
   * is complete and durable when this resolves; a crash leaves either all of it or nothing. Appends
   * continue meanwhile. Finished segments are hard links if the file system supports them, and then
   * take no additional space.
   *
   * @param directory must not exist; is in the storage of the store
   * @throws SnapshotExistsError if the directory exists; CorruptPartitionError or
   * StorageFailedError if a partition accepts no appends; ClosedError; the reason of `signal`
   */
  async snapshot(
    directory: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<StoreSnapshot> {
    checkSnapshotOptions(options);
    const { signal } = options;
    return withStorageErrors(`${directory} cannot be made`, () =>
      this.#maintenance.snapshot(trimmedPath(directory), signal),
    );
  }

  /** @internal Like {@link snapshot}, but a crash may leave a part of the copy. */
  copyTo(directory: string, signal: AbortSignal): Promise<StoreSnapshot> {
    return this.#maintenance.copyTo(directory, signal);
  }

  /**
   * Alters options of the open store; options that are left out keep their values. The alteration
   * is not stored: the next `open` has its own options.
   *
   * @throws InvalidArgumentError; then nothing is altered
   */
  alter(changes: AlterableOptions): void {
    checkAlteredOptions(changes);
    const given = alteredOptions(this.#given, changes);
    Object.assign(this.#parts.options, resolveOptions(given));
    this.#given = given;
  }

  /** Completes pending appends, makes everything durable, and unlocks the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#retention.cancel();
    await this.#maintenance.close();
    await closeStore(this.#parts);
  }

  /** @internal Makes `close` leave records as they are, because the directory is then deleted. */
  abandon(): void {
    for (const log of this.#parts.partitions) log.abandon();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal The partition's log, for the broker. */
  log(partition: number): FilePartitionLog {
    return partitionAt(this.#parts.partitions, partition);
  }
}
