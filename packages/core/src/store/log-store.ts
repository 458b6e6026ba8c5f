/** A log store: one directory, its partitions, and the ways in and out. */
import {
  type Bytes,
  ClosedError,
  type CorruptPartitionError,
  InvalidArgumentError,
  keyBytes,
  type RecordInput,
  type StorageFailedError,
  startInterval,
  type Timer,
} from "@logstore/codec";
import { partitionDirectory } from "../files/file-names.js";
import { readStoreFile, type StoreIdentity } from "../files/store-file.js";
import { readWatermarks, Watermarks } from "../files/watermarks-file.js";
import { tell } from "../hooks/hooks.js";
import { clockBehind } from "../hooks/warnings.js";
import type { AppendAck } from "../partition/append/append-queue.js";
import { checkBytes } from "../partition/append/check-record.js";
import type { PublishBounds, StoreTies } from "../partition/append/log-writer.js";
import { type AppendOptions, PartitionLog } from "../partition/partition-log.js";
import { msOf } from "../partition/read/position.js";
import type { TornTail } from "../partition/recovery/torn-tail.js";
import type { RepairAction } from "../partition/upkeep/repair-log.js";
import type { VerifyEvent } from "../partition/upkeep/verify-log.js";
import { copyStore, type StoreSnapshot } from "../snapshot/copy-store.js";
import { makeWhole } from "../snapshot/make-whole.js";
import type { GuardedStorage } from "../storage/directory-guard.js";
import { FilePool } from "../storage/file-pool.js";
import { eachInParallel } from "../storage/in-parallel.js";
import { MemoryStorage } from "../storage/memory-storage.js";
import { NodeStorage } from "../storage/node-storage.js";
import { runAll } from "../storage/run-all.js";
import type { Lock, Storage } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";
import { allOrNone } from "./all-or-none.js";
import type { AppendManyAck, AppendRecordOptions, ReadOptions, TailOptions } from "./call-options.js";
import {
  checkAlteredOptions,
  checkAppendOptions,
  checkReadOptions,
  checkRepairOptions,
  checkSnapshotOptions,
  checkStoreOptions,
  checkTailOptions,
  toPosition,
} from "./check-options.js";
import { checkNotABrokers, checkStore, makeStore } from "./identity.js";
import { tellNewDirectory } from "./new-directory.js";
import {
  ALTERABLE,
  type AlterableOptions,
  type LogStoreOptions,
  type ReadOnlyOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./options.js";
import { Partition } from "./partition.js";
import { ReadOnlyLogStore } from "./read-only-log-store.js";
import { RecordStream } from "./record-stream.js";
import { repairStore } from "./repair-store.js";
import { sealRecords } from "./seal-records.js";
import { type StoreCaches, storeCaches } from "./store-caches.js";
import { unknownPartition } from "./unknown-partition.js";

/** How often it is looked whether records have become too old. */
const RETENTION_INTERVAL_MS = 60_000;

interface Opened {
  readonly partitions: PartitionLog[];
  readonly identity: StoreIdentity;
  readonly openPartition: (partition: number) => Promise<PartitionLog>;
  readonly given: LogStoreOptions;
  readonly options: ResolvedOptions;
  readonly storage: GuardedStorage;
  readonly lock: Lock | undefined;
  readonly watermarks: Watermarks;
}

/** What opening found in a partition that a clean close would not have left. */
export interface RecoveryReport {
  readonly partition: number;
  /** What a crash left of an append that was not acknowledged, if something. */
  readonly tornTail: TornTail | undefined;
  /** Why the partition can be read only up to some offset and takes no appends, if so. */
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** Why the partition takes no appends though it can be read, if so. */
  readonly failure?: StorageFailedError | undefined;
}

/**
 * A partitioned, append-only log in a directory, or in memory for ":memory:". A key always goes to
 * the same partition, and a partition keeps its order. One process at a time opens it for writing.
 * An append is acknowledged when it is as durable as its `durability` says. Every error is a
 * LogStoreError.
 */
export class LogStore implements AsyncDisposable {
  /** One is replaced where it is repaired. */
  readonly #partitions: PartitionLog[];
  readonly #identity: StoreIdentity;
  readonly #openPartition: (partition: number) => Promise<PartitionLog>;
  /** As they were given, and altered since. */
  #given: LogStoreOptions;
  /**
   * The same with what holds where nothing was said; the partitions look at it whenever they need
   * to know.
   */
  readonly #options: ResolvedOptions;
  readonly #storage: GuardedStorage;
  readonly #lock: Lock | undefined;
  readonly #watermarks: Watermarks;
  readonly #retentionTimer: Timer;
  #nextForNullKey = 0;
  #expectedBytes = 1024;
  /** The last repair or snapshot. */
  #working: Promise<unknown> = Promise.resolve();
  /** Told to it when the store is closed. */
  readonly #stop = new AbortController();
  #closing: Promise<void> | undefined;

  private constructor({ partitions, identity, openPartition, given, options, storage, lock, watermarks }: Opened) {
    this.#partitions = partitions;
    this.#identity = identity;
    this.#openPartition = openPartition;
    this.#given = given;
    this.#options = options;
    this.#storage = storage;
    this.#lock = lock;
    this.#watermarks = watermarks;
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
    return withStorageErrors(`${directory} cannot be opened`, () => LogStore.#open(directory, options));
  }

  static async #open(directory: string, options: LogStoreOptions): Promise<LogStore> {
    checkStoreOptions(options);
    const inner = options.storage ?? (directory === ":memory:" ? new MemoryStorage() : new NodeStorage());
    const path = directory.replace(/(?<=.)\/+$/, "");
    const { maxOpenFiles, hooks } = resolveOptions(options);
    const storage = new FilePool(inner, maxOpenFiles, path, hooks.warned);
    // A look before anything is touched: a directory that is something else's is left as it is.
    const found = await readStoreFile(storage, path);
    checkStore(path, found, resolveOptions(options));
    await checkNotABrokers(storage, path);
    await storage.makeParents(path);
    await storage.makeDirectory(path);
    const lock = await storage.lock(path);
    try {
      const store = await LogStore.openLocked(path, options, storage, storeCaches(options), lock);
      if (found === undefined) tellNewDirectory(hooks, directory, "log store");
      return store;
    } catch (error) {
      await lock.release().catch(() => {});
      throw error;
    }
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

  /** @internal For whoever has the directory locked already. */
  static async openLocked(
    path: string,
    given: LogStoreOptions,
    storage: GuardedStorage,
    { indexes, tails }: StoreCaches,
    lock?: Lock, // let go of when the store is closed
  ): Promise<LogStore> {
    const options = resolveOptions(given);
    const checkOwner = () => storage.guard.check();
    const clockIsBehind: StoreTies["clockIsBehind"] = (partition, now, lastAppendTime) => {
      const { warned } = options.hooks;
      if (warned === undefined || !storage.isClockWarningDue()) return;
      tell(() => warned(clockBehind(partition, now, lastAppendTime)));
    };
    const identity = (await readStoreFile(storage, path)) ?? (await makeStore(storage, path, options));
    await storage.syncDirectory(path); // a crash may have come between the file's renaming and that
    checkStore(path, identity, options);
    const said = await readWatermarks(storage, path).catch(() => []);
    let watermarks: Watermarks | undefined;
    const openPartition = (partition: number) => {
      const directory = `${path}/${partitionDirectory(partition)}`;
      const publishBounds: PublishBounds = async (logStart, highWatermark) =>
        watermarks?.set(partition, { logStart, highWatermark });
      const ties = { publishBounds, checkOwner, clockIsBehind };
      const where = { storage, directory, partition, indexes, tails, ...ties, said: said[partition] };
      return PartitionLog.open(where, options);
    };
    const partitions = await allOrNone(identity.partitions, openPartition);
    watermarks = await Watermarks.open(
      storage,
      path,
      partitions.map(({ bounds }) => bounds),
    );
    return new LogStore({ partitions, identity, openPartition, given, options, storage, lock, watermarks });
  }

  get partitionCount(): number {
    return this.#partitions.length;
  }

  /**
   * 32 random hex digits of `store.json`: tells the store from another one that had the same path.
   */
  get id(): string {
    return this.#identity.id;
  }

  /** Name of the function that maps keys to partitions. */
  get partitioner(): string {
    return this.#options.partitioner.name;
  }

  /**
   * What opening the store found that a clean close would not have left: nothing, in the best case.
   */
  get recovery(): readonly RecoveryReport[] {
    const found = this.#partitions.filter(
      ({ tornTail, damage, failure }) => tornTail !== undefined || damage !== undefined || failure !== undefined,
    );
    return found.map(({ partition, tornTail, damage, failure }) => {
      return { partition, tornTail, damage, ...(failure !== undefined && { failure }) };
    });
  }

  /**
   * Partitions that cannot be read to their end, as far as is known, or take no more appends: the
   * store is to be verified and repaired.
   */
  get failedPartitions(): readonly number[] {
    const isLost = this.#storage.guard.failure !== undefined;
    const failed = this.#partitions.filter(
      ({ knownDamage, failure }) => isLost || knownDamage !== undefined || failure !== undefined,
    );
    return failed.map(({ partition }) => partition);
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
    // Not an async function: the promise of the queue is handed on as it is.
    try {
      const log = this.log(options?.partition ?? this.#partitionOf(key));
      if (options === undefined) return log.append(key, value, undefined, undefined, undefined);
      checkAppendOptions(options, true);
      const { headers, durability, expectedOffset } = options;
      const timestamp = options.timestamp === undefined ? undefined : msOf(options.timestamp);
      if (expectedOffset === undefined) return log.append(key, value, timestamp, headers, durability);
      return this.#appendOne(log, { key, value, timestamp, headers }, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Appends records to one partition, with one promise. They are refused together; a crash may
   * leave the first of them, where they are more than fit into one batch (1 MiB).
   *
   * @throws what {@link append} throws
   */
  async appendMany(
    partition: number,
    records: Iterable<RecordInput>,
    options: AppendOptions = {},
  ): Promise<AppendManyAck> {
    checkAppendOptions(options, false);
    const log = this.log(partition);
    const { baseOffset, nextOffset, durability } = await this.#appendSealed(log, records, options);
    return { partition, offset: baseOffset, nextOffset, durability };
  }

  /** The records of a partition to its end, as it is when the iteration starts. */
  read(partition: number, options: ReadOptions = {}): RecordStream {
    checkReadOptions(options);
    const { from = "earliest", onSkipped } = options;
    return new RecordStream(this.log(partition), { from: toPosition(from), follow: false, onSkipped });
  }

  /** The records of a partition, and then those that are appended, as soon as they may be read. */
  tail(partition: number, options: TailOptions = {}): RecordStream {
    checkTailOptions(options);
    const { from = "latest", onSkipped, signal } = options;
    return new RecordStream(this.log(partition), { from: toPosition(from), follow: true, onSkipped, signal });
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
    const logs = partition === undefined ? this.#partitions : [this.log(partition)];
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
    const { retentionMs, retentionBytes } = this.#options;
    if (retentionMs === undefined && retentionBytes === undefined) return;
    let failed: { readonly error: unknown } | undefined;
    for (const log of this.#partitions) {
      if (log.damage !== undefined || log.isClosed) continue;
      try {
        await log.applyRetention();
      } catch (error) {
        failed ??= { error }; // the others grow old too
      }
    }
    if (failed !== undefined) throw failed.error;
  }

  /**
   * Reads everything there is, checksums and all, and says what is not as it should be. Nothing is
   * changed; appends and reads go on meanwhile. Events of progress come about every MiB.
   */
  async *verify(): AsyncGenerator<VerifyEvent, void> {
    for (const log of this.#partitions) yield* log.verify();
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
    return this.#alone(() => {
      const partitions = this.partitionCount;
      const [storage, watermarks] = [this.#storage, this.#watermarks];
      const reopened = (partition: number) => this.#reopened(partition);
      return repairStore({ partitions, storage, watermarks, reopened, signal: this.#stop.signal }, dryRun);
    });
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
    const path = directory.replace(/(?<=.)\/+$/, "");
    return withStorageErrors(`${directory} cannot be made`, () =>
      this.#alone(() => makeWhole(this.#storage, path, (unfinished) => this.#copyTo(unfinished, signal))),
    );
  }

  /** @internal The same, where a crash may leave some of it. */
  copyTo(directory: string, signal: AbortSignal): Promise<StoreSnapshot> {
    return this.#alone(() => this.#copyTo(directory, signal));
  }

  #copyTo(directory: string, signal: AbortSignal | undefined): Promise<StoreSnapshot> {
    const source = { storage: this.#storage, identity: this.#identity, logs: this.#partitions };
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    return copyStore(source, directory, either);
  }

  /** Repairs replace partitions that snapshots copy: one thing at a time. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.then(() => {
      this.#stop.signal.throwIfAborted();
      return work();
    });
    this.#working = done.catch(() => {});
    return done;
  }

  /** A partition that was closed to be repaired is opened again. */
  async #reopened(partition: number): Promise<PartitionLog> {
    if (!this.#partitions[partition]!.isClosed) return this.#partitions[partition]!;
    const log = await this.#openPartition(partition);
    this.#partitions[partition] = log;
    return log;
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
    Object.assign(this.#options, resolveOptions(given));
    this.#given = given;
  }

  /** Finishes what waits, makes everything durable, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#retentionTimer.cancel();
    this.#stop.abort(new ClosedError("the log store was closed"));
    await this.#working;
    await withStorageErrors("the log store was closed, but not cleanly", () =>
      runAll(
        () => eachInParallel(this.#partitions, (log) => log.close()),
        () => this.#watermarks.close(),
        () => this.#lock?.release(),
      ),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal The partition itself, for the broker. */
  log(partition: number): PartitionLog {
    const log = typeof partition === "number" ? this.#partitions[partition] : undefined;
    return log ?? unknownPartition(partition, this.partitionCount);
  }

  async #appendOne(log: PartitionLog, record: RecordInput, options: AppendOptions): Promise<AppendAck> {
    const { baseOffset, durability } = await this.#appendSealed(log, [record], options);
    return { partition: log.partition, offset: baseOffset, durability };
  }

  #appendSealed(log: PartitionLog, records: Iterable<RecordInput>, options: AppendOptions) {
    const { batches, byteLength } = sealRecords(records, this.#storage.now(), this.#expectedBytes, this.#options);
    this.#expectedBytes = batches[0]!.byteLength; // the next call's will be about as long
    return log.appendValidBatches(batches, byteLength, options);
  }

  #partitionOf(key: Bytes | null): number {
    const count = this.partitionCount;
    if (key === null) return this.#nextForNullKey++ % count;
    checkBytes("a key", key);
    const { partitioner } = this.#options;
    const partition = partitioner.partition(keyBytes(key), count);
    if (this.#partitions[partition] !== undefined) return partition;
    throw new InvalidArgumentError(`partitioner ${partitioner.name} chose partition ${partition} of ${count}`);
  }
}
