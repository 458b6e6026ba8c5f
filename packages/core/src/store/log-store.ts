/** A log store: one directory, its partitions, and the ways in and out. */
import {
  type Bytes,
  InvalidArgumentError,
  keyBytes,
  PartitionCountMismatchError,
  PartitionerMismatchError,
  type RecordInput,
  UnknownPartitionError,
} from "@logstore/codec";
import type { Durability, Position } from "@logstore/protocol";
import { partitionDirectory } from "../files/file-names.js";
import { readStoreFile, type StoreIdentity, writeStoreFile } from "../files/store-file.js";
import type { AppendOptions } from "../partition/partition-log.js";
import { PartitionLog } from "../partition/partition-log.js";
import { MemoryStorage } from "../storage/memory-storage.js";
import { NodeStorage } from "../storage/node-storage.js";
import type { Lock, Storage } from "../storage/storage.js";
import { type LogStoreOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { Partition } from "./partition.js";
import { RecordStream } from "./record-stream.js";
import { sealRecords } from "./seal-records.js";

/** Where an appended record went, and how safe it is there. */
export interface AppendAck {
  readonly partition: number;
  readonly offset: number;
  readonly durability: Durability;
}

/** Where several records went: `offset` is the first one's, the others follow. */
export interface AppendManyAck extends AppendAck {
  /** Offset after the last record. */
  readonly nextOffset: number;
}

export interface AppendRecordOptions extends AppendOptions {
  /** Default: by key, or evenly for null keys. */
  readonly partition?: number | undefined;
  readonly timestamp?: number | undefined;
  readonly headers?: RecordInput["headers"];
}

export interface ReadOptions {
  /** Default "earliest". */
  readonly from?: Position | undefined;
}

export interface TailOptions {
  /** Default "latest": only what is appended from now on. */
  readonly from?: Position | undefined;
  /** Ends the iteration by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export class LogStore implements AsyncDisposable {
  readonly #partitions: readonly PartitionLog[];
  readonly #options: ResolvedOptions;
  readonly #storage: Storage;
  readonly #lock: Lock;
  #nextForNullKey = 0;
  #expectedBytes = 1024;
  #closing: Promise<void> | undefined;

  private constructor(partitions: readonly PartitionLog[], options: ResolvedOptions, storage: Storage, lock: Lock) {
    this.#partitions = partitions;
    this.#options = options;
    this.#storage = storage;
    this.#lock = lock;
  }

  /**
   * Opens the log store in a directory, making it where there is none; ":memory:" is a new one in memory.
   *
   * A store that was not closed is recovered: see {@link recovery} for what was found.
   *
   * @throws LockedError, NotALogStoreError, UnsupportedFormatVersionError, PartitionCountMismatchError, PartitionerMismatchError,
   * InvalidArgumentError
   */
  static async open(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
    const resolved = resolveOptions(options);
    const storage = options.storage ?? (directory === ":memory:" ? new MemoryStorage() : new NodeStorage());
    const path = directory.replace(/(?<=.)\/+$/, "");
    // A look before anything is touched: a directory that is something else's is left as it is.
    checkStore(path, await readStoreFile(storage, path), resolved);
    await storage.makeDirectory(path);
    const lock = await storage.lock(path);
    try {
      const file = (await readStoreFile(storage, path)) ?? (await makeStore(storage, path, resolved));
      await storage.syncDirectory(path); // a crash may have come between the file's renaming and that
      checkStore(path, file, resolved);
      const partitions = await openPartitions(storage, path, file.partitions, resolved);
      return new LogStore(partitions, resolved, storage, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  get partitionCount(): number {
    return this.#partitions.length;
  }

  /** Name of the function that maps keys to partitions. */
  get partitioner(): string {
    return this.#options.partitioner.name;
  }

  /** What opening the store found that a clean close would not have left: nothing, in the best case. */
  get recovery(): readonly Pick<PartitionLog, "partition" | "tornTail" | "damage">[] {
    return this.#partitions.filter(({ tornTail, damage }) => tornTail !== undefined || damage !== undefined);
  }

  /**
   * Appends a record to the partition of its key. Resolves when its durability is reached; records appended in the same turn
   * of the event loop are written together.
   *
   * @throws RecordTooLargeError, InvalidArgumentError, UnknownPartitionError, WrongExpectedOffsetError, BufferFullError,
   * ClosedError, StorageFailedError, CorruptPartitionError
   */
  async append(key: Bytes | null, value: Bytes, options: AppendRecordOptions = {}): Promise<AppendAck> {
    const { timestamp, headers, durability, expectedOffset } = options;
    const log = this.log(options.partition ?? this.#partitionOf(key));
    const appended =
      expectedOffset === undefined
        ? await log.append(key, value, timestamp, headers, durability)
        : await this.#appendSealed(log, [{ key, value, timestamp, headers }], options);
    return { partition: log.partition, offset: appended.baseOffset, durability: appended.durability };
  }

  /**
   * Appends records to one partition, with one promise. They are refused together; a crash may leave the first of them, where
   * they are more than fit into one batch (1 MiB).
   *
   * @throws what {@link append} throws
   */
  async appendMany(
    partition: number,
    records: Iterable<RecordInput>,
    options: AppendOptions = {},
  ): Promise<AppendManyAck> {
    const log = this.log(partition);
    const { baseOffset, nextOffset, durability } = await this.#appendSealed(log, records, options);
    return { partition, offset: baseOffset, nextOffset, durability };
  }

  /** The records of a partition to its end, as it is when the iteration starts. */
  read(partition: number, { from = "earliest" }: ReadOptions = {}): RecordStream {
    return new RecordStream(this.log(partition), { from, follow: false });
  }

  /** The records of a partition, and then those that are appended, as soon as they may be read. */
  tail(partition: number, { from = "latest", signal }: TailOptions = {}): RecordStream {
    return new RecordStream(this.log(partition), { from, follow: true, signal });
  }

  /** @throws UnknownPartitionError */
  partition(index: number): Partition {
    return new Partition(this.log(index));
  }

  /** Finishes what waits, makes everything durable, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      const closed = await Promise.allSettled(this.#partitions.map((log) => log.close()));
      for (const result of closed) if (result.status === "rejected") throw result.reason;
    } finally {
      await this.#lock.release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal The partition itself, for the broker. */
  log(partition: number): PartitionLog {
    const log = this.#partitions[partition];
    if (log !== undefined) return log;
    const count = this.partitionCount;
    throw new UnknownPartitionError(`there is no partition ${partition}: they are 0 to ${count - 1}`, {
      partition,
      expected: count,
    });
  }

  #appendSealed(log: PartitionLog, records: Iterable<RecordInput>, options: AppendOptions) {
    const { batches, byteLength } = sealRecords(records, this.#storage.now(), this.#expectedBytes, this.#options);
    this.#expectedBytes = batches[0]!.byteLength; // the next call's will be about as long
    return log.appendValidBatches(batches, byteLength, options);
  }

  #partitionOf(key: Bytes | null): number {
    const count = this.partitionCount;
    if (key === null) return this.#nextForNullKey++ % count;
    const { partitioner } = this.#options;
    const partition = partitioner.partition(keyBytes(key), count);
    if (this.#partitions[partition] !== undefined) return partition;
    throw new InvalidArgumentError(`partitioner ${partitioner.name} chose partition ${partition} of ${count}`);
  }
}

async function makeStore(storage: Storage, directory: string, options: ResolvedOptions): Promise<StoreIdentity> {
  const file: StoreIdentity = {
    id: storage.randomHex(16),
    partitions: options.partitions ?? 1,
    partitioner: options.partitioner.name,
  };
  await writeStoreFile(storage, directory, file);
  return file;
}

function checkStore(
  directory: string,
  file: StoreIdentity | undefined,
  { partitions, partitioner }: ResolvedOptions,
): void {
  if (file === undefined) return;
  if (partitions !== undefined && partitions !== file.partitions) {
    throw new PartitionCountMismatchError(
      `${directory} has ${file.partitions} partitions, not ${partitions}: their number never changes; leave the option out`,
      { expected: partitions, actual: file.partitions },
    );
  }
  if (partitioner.name !== file.partitioner) {
    throw new PartitionerMismatchError(
      `${directory} was made with partitioner ${file.partitioner}, not ${partitioner.name}: another one would break the order by key`,
    );
  }
}

async function openPartitions(
  storage: Storage,
  directory: string,
  count: number,
  options: ResolvedOptions,
): Promise<PartitionLog[]> {
  const indexes = Array.from({ length: count }, (_, partition) => partition);
  const opening = indexes.map((partition) =>
    PartitionLog.open(storage, `${directory}/${partitionDirectory(partition)}`, partition, options),
  );
  // Whatever fails: nobody works on the directory any more when the caller lets go of it.
  const opened = await Promise.allSettled(opening);
  const failed = opened.find((result) => result.status === "rejected");
  if (failed === undefined) return Promise.all(opening);
  await Promise.allSettled(opened.map((result) => result.status === "fulfilled" && result.value.close()));
  throw failed.reason;
}
