/** A log store: one directory, its partitions, and the ways in and out. */
import { type Bytes, type RecordInput, startInterval, type Timer } from "@logstore/codec";
import type { AppendOptions } from "../engine/partition-log.js";
import type { AppendAck } from "../partition/append/append-queue.js";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { RepairAction } from "../partition/upkeep/repair-log.js";
import type { VerifyEvent } from "../partition/upkeep/verify-log.js";
import type { StoreSnapshot } from "../snapshot/copy-store.js";
import type { GuardedStorage } from "../storage/directory-guard.js";
import { trimmedPath } from "../storage/home.js";
import { eachInParallel } from "../storage/in-parallel.js";
import { runAll } from "../storage/run-all.js";
import type { Lock, Storage } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";
import { applyRetention } from "./apply-retention.js";
import type { AppendRecordOptions, ReadOptions, TailOptions } from "./call-options.js";
import { checkAlteredOptions, checkRepairOptions, checkSnapshotOptions } from "./check-options.js";
import { makeStore } from "./identity.js";
import { Maintenance } from "./maintenance.js";
import { openLockedStore, openStore, type StoreParts } from "./open-store.js";
import {
  ALTERABLE,
  type AlterableOptions,
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

export type { RecoveryReport } from "./store-health.js";

/** How often it is looked whether records have become too old. */
const RETENTION_INTERVAL_MS = 60_000;

/**
 * A partitioned, append-only log in a directory, or in memory for ":memory:". A key always goes to
 * the same partition, and a partition keeps its order. One process at a time opens it for writing.
 * An append is acknowledged when it is as durable as its `durability` says. Every error is a
 * LogStoreError.
 */
export class LogStore implements AsyncDisposable {
  readonly #parts: StoreParts;
  readonly #appender: RecordAppender;
  readonly #maintenance: Maintenance;
  readonly #retentionTimer: Timer;
  /** Options as they were given, and altered since. */
  #given: LogStoreOptions;
  #closing: Promise<void> | undefined;

  private constructor(parts: StoreParts) {
    const { partitions, options, storage, given } = parts;
    this.#parts = parts;
    this.#given = given;
    this.#appender = new RecordAppender(partitions, options, storage);
    this.#maintenance = new Maintenance(parts);
    this.#retentionTimer = startInterval(RETENTION_INTERVAL_MS, () => void this.applyRetention().catch(() => {}), {
      keepsAlive: false,
    });
  }

  /**
   * Opens the log store in a directory, making it where there is none; ":memory:" is a new one in
   * memory.
   *
   * A store that was not closed is recovered: see {@link recovery} for what was found.
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
   * Opens a log store to read it, whoever writes to it meanwhile; nothing in the directory is
   * touched.
   *
   * @throws NotALogStoreError, UnsupportedFormatVersionError, StorageFailedError
   */
  static openReadOnly(directory: string, options: ReadOnlyOptions = {}): Promise<ReadOnlyLogStore> {
    return withStorageErrors(`${directory} cannot be read`, () => ReadOnlyLogStore.open(directory, options));
  }

  /** @internal Makes the store in a directory, without opening it. */
  static async make(path: string, options: LogStoreOptions, storage: Storage): Promise<void> {
    await makeStore(storage, path, resolveOptions(options));
  }

  /** @internal In a directory that is locked already. */
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
   * 32 random hex digits of `store.json`: tells the store from another one that had the same path.
   */
  get id(): string {
    return this.#parts.identity.id;
  }

  /** Name of the function that maps keys to partitions. */
  get partitioner(): string {
    return this.#parts.options.partitioner.name;
  }

  /**
   * What opening the store found that a clean close would not have left: nothing, in the best case.
   */
  get recovery(): readonly RecoveryReport[] {
    return recoveryReports(this.#parts.partitions);
  }

  /**
   * Partitions that cannot be read to their end, as far as is known, or take no more appends: the
   * store is to be verified and repaired.
   */
  get failedPartitions(): readonly number[] {
    const { partitions, storage } = this.#parts;
    return failedPartitions(partitions, storage.guard.failure !== undefined);
  }

  /**
   * Appends a record to the partition of its key. Resolves when its durability is reached; records
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
   * Appends records to one partition, with one promise. They are refused together; a crash may
   * leave the first of them, where they are more than fit into one batch (1 MiB).
   *
   * @throws what {@link append} throws
   */
  appendMany(partition: number, records: Iterable<RecordInput>, options: AppendOptions = {}): Promise<AppendAck> {
    return this.#appender.appendMany(partition, records, options);
  }

  /** The records of a partition to its end, as it is when the iteration starts. */
  read(partition: number, options: ReadOptions = {}): RecordStream {
    return readRecords(this.log(partition), options);
  }

  /** The records of a partition, and then those that are appended, as soon as they may be read. */
  tail(partition: number, options: TailOptions = {}): RecordStream {
    return tailRecords(this.log(partition), options);
  }

  /**
   * Returns the partition that records of a key are appended to.
   *
   * @throws InvalidArgumentError for a key that is no string and no Uint8Array
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
   * Deletes every record of a partition before `beforeOffset`: they cannot be read any more, and
   * their files are removed when nothing else is in them. Resolves when that is durable.
   *
   * @throws OffsetOutOfRangeError beyond the high watermark; UnknownPartitionError, ClosedError,
   * StorageFailedError, CorruptPartitionError
   */
  async deleteRecords(partition: number, beforeOffset: number): Promise<void> {
    await this.log(partition).deleteRecords(beforeOffset);
  }

  /**
   * Deletes now what is too old or too much by `retentionMs` and `retentionBytes`; otherwise it is
   * done once a minute.
   */
  async applyRetention(): Promise<void> {
    const { partitions, options } = this.#parts;
    if (options.retentionMs === undefined && options.retentionBytes === undefined) return;
    await applyRetention(partitions);
  }

  /**
   * Reads everything there is, checksums and all, and says what is not as it should be. Nothing is
   * changed; appends and reads go on meanwhile. Events of progress come about every MiB.
   */
  async *verify(): AsyncGenerator<VerifyEvent, void> {
    for (const log of this.#parts.partitions) yield* log.verify();
  }

  /**
   * Says what would be done to make damaged partitions whole again, or does it: damaged bytes are
   * copied to `.damaged` files and left out of the log, what is sound stays, offsets that are lost
   * are noted and never given again. Reads everything first. With `dryRun: false` the damaged
   * partitions are closed and opened again: their readers and writers get a ClosedError.
   *
   * @throws StorageFailedError, and it can be begun again
   */
  async repair(options: { readonly dryRun?: boolean | undefined } = {}): Promise<RepairAction[]> {
    checkRepairOptions(options);
    const { dryRun = true } = options;
    return this.#maintenance.repair(dryRun);
  }

  /**
   * Makes a directory that holds what the store holds now: a log store of its own, complete,
   * durable when this resolves, and there as a whole or not at all. Nobody who appends waits for
   * it. Finished segments are the same files under a second name, where the system has that: they
   * take no room of their own.
   *
   * @param directory where nothing is yet, in the storage of the store
   * @throws SnapshotExistsError where something is; CorruptPartitionError and StorageFailedError
   * where a partition takes no appends; ClosedError; `signal`'s reason
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

  /** @internal The same, where a crash may leave some of it. */
  copyTo(directory: string, signal: AbortSignal): Promise<StoreSnapshot> {
    return this.#maintenance.copyTo(directory, signal);
  }

  /**
   * Changes options of the open store; those left out stay. It is not written down: the next
   * opening names its own.
   *
   * @throws InvalidArgumentError, and nothing is changed
   */
  alter(changes: AlterableOptions): void {
    checkAlteredOptions(changes);
    const given = { ...this.#given };
    for (const name of ALTERABLE) if (name in changes) Object.assign(given, { [name]: changes[name] });
    Object.assign(this.#parts.options, resolveOptions(given));
    this.#given = given;
  }

  /** Finishes what waits, makes everything durable, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#retentionTimer.cancel();
    await this.#maintenance.close();
    const { partitions, watermarks, lock } = this.#parts;
    await withStorageErrors("the log store was closed, but not cleanly", () =>
      runAll(
        () => eachInParallel(partitions, (log) => log.close()),
        () => watermarks.close(),
        () => lock?.release(),
      ),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal The partition itself, for the broker. */
  log(partition: number): FilePartitionLog {
    return partitionAt(this.#parts.partitions, partition);
  }
}
