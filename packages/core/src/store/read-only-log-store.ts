/** A log store that is opened for reading only. Another process may write to it. */
import { ClosedError, LogStoreError, NotALogStoreError } from "@logstore/codec";
import { partitionDirectory, STORE_FILE, WATERMARKS_FILE } from "../files/file-names.js";
import { readStoreFile, type StoreIdentity } from "../files/store-file.js";
import { readWatermarks } from "../files/watermarks-file.js";
import type { LogStoreHooks } from "../hooks/hooks.js";
import { FollowedLog } from "../partition/followed-log.js";
import type { VerifyEvent } from "../partition/upkeep/verify-log.js";
import { IndexCache } from "../segment/index-cache.js";
import { isDiskTrouble } from "../storage/disk-trouble.js";
import { homeOf } from "../storage/home.js";
import { eachInParallel } from "../storage/in-parallel.js";
import type { Storage } from "../storage/storage.js";
import { storageError } from "../storage/storage-error.js";
import { allOrNone } from "./all-or-none.js";
import type { ReadOptions, TailOptions } from "./call-options.js";
import { checkReadOnlyOptions } from "./check-options.js";
import { DEFAULT_MAX_OPEN_FILES, type ReadOnlyOptions } from "./options.js";
import { Partition } from "./partition.js";
import type { RecordStream } from "./record-stream.js";
import { readRecords, tailRecords } from "./record-streams.js";
import { SharedTask } from "./shared-task.js";
import { partitionAt } from "./unknown-partition.js";

/**
 * How often the watermarks are read although no change was reported, because not every file system
 * reports changes.
 */
const LOOK_INTERVAL_MS = 1000;

/**
 * A log store that is opened for reading only, by {@link LogStore.openReadOnly}. Another process
 * may write to it at the same time; the records that the writer has acknowledged can be read.
 */
export class ReadOnlyLogStore implements AsyncDisposable {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #identity: StoreIdentity;
  readonly #partitions: readonly FollowedLog[];
  #unwatch: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  #waiting = 0;
  #closing: Promise<void> | undefined;
  readonly #looks = new SharedTask(() => this.#look());
  #lookError: LogStoreError | undefined;

  private constructor(
    storage: Storage,
    directory: string,
    identity: StoreIdentity,
    partitions: readonly FollowedLog[],
  ) {
    this.#storage = storage;
    this.#directory = directory;
    this.#identity = identity;
    this.#partitions = partitions;
    // biome-ignore lint/style/noRestrictedGlobals: a short, constant delay
    this.#timer = setInterval(() => void this.look(), LOOK_INTERVAL_MS);
    this.#timer.unref();
  }

  static async open(directory: string, options: ReadOnlyOptions = {}): Promise<ReadOnlyLogStore> {
    checkReadOnlyOptions(options);
    const { maxOpenFiles = DEFAULT_MAX_OPEN_FILES, hooks = {} } = options;
    const { path, storage } = homeOf(directory, { storage: options.storage, maxOpenFiles, warned: hooks.warned });
    return ReadOnlyLogStore.openIn(storage, path, hooks);
  }

  /**
   * @internal
   * @param storage limits the number of open files; several stores may share it
   */
  static async openIn(storage: Storage, path: string, hooks: LogStoreHooks): Promise<ReadOnlyLogStore> {
    const identity = await readStoreFile(storage, path);
    if (identity === undefined) throw new NotALogStoreError(`${path} contains no log store`);
    // Read before the files: bounds only advance, so that the files contain at least these records.
    const bounds = await readWatermarks(storage, path);
    const indexes = new IndexCache();
    let store: ReadOnlyLogStore | undefined;
    const look = async () => store?.look();
    const lookError = () => (store === undefined ? undefined : store.#lookError);
    const keepAlive = () => store!.#keepAlive();
    const partitions = await allOrNone(identity.partitions, (partition) => {
      const where = {
        storage,
        directory: `${path}/${partitionDirectory(partition)}`,
        partition,
        indexes,
        hooks,
        look,
        lookError,
        keepAlive,
      };
      return FollowedLog.open(where, bounds[partition]);
    });
    store = new ReadOnlyLogStore(storage, path, identity, partitions);
    await store.#watch();
    return store;
  }

  /**
   * Hexadecimal, from when the store was created. Distinguishes it from others of the same name.
   */
  get id(): string {
    return this.#identity.id;
  }

  /** Name of the function that maps keys to partitions: "fnv1a-32". */
  get partitioner(): string {
    return this.#identity.partitioner;
  }

  get partitionCount(): number {
    return this.#partitions.length;
  }

  /** Reads the records of a partition up to its end at the time when the iteration starts. */
  read(partition: number, options: ReadOptions = {}): RecordStream {
    return readRecords(this.log(partition), options);
  }

  /** Reads the records of a partition, and then those that are appended later. */
  tail(partition: number, options: TailOptions = {}): RecordStream {
    return tailRecords(this.log(partition), options);
  }

  /** @throws UnknownPartitionError */
  partition(index: number): Partition {
    return new Partition(this.log(index));
  }

  /**
   * Reads everything, including the checksums, and reports damage. Only for a store without a
   * writer, such as a snapshot: data that is being written appears damaged.
   */
  async *verify(): AsyncGenerator<VerifyEvent, void> {
    for (const log of this.#partitions) yield* log.verify();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#unwatch?.();
    await this.#looks.settle();
    await eachInParallel(this.#partitions, (log) => log.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keepAlive(): () => void {
    if (this.#waiting++ === 0) this.#timer.ref();
    return () => {
      if (--this.#waiting === 0) this.#timer.unref();
    };
  }

  async #watch(): Promise<void> {
    try {
      this.#unwatch = await this.#storage.watch(`${this.#directory}/${WATERMARKS_FILE}`, () => void this.look());
    } catch {
      // There has been no writer yet, or files cannot be watched: the timer remains.
    }
    await this.look(); // the watermarks may have changed before the watch started
  }

  /** @internal Reads the writer's watermarks, and passes them to all partitions. */
  look(): Promise<void> {
    return this.#looks.run();
  }

  async #look(): Promise<void> {
    if (this.#closing !== undefined) return;
    try {
      const all = await readWatermarks(this.#storage, this.#directory);
      if (all.length === 0) await this.#checkExists();
      for (const log of this.#partitions) {
        const bounds = all[log.partition];
        if (bounds !== undefined) await log.update(bounds);
      }
      this.#lookError = undefined;
    } catch (error) {
      // Anything else is a temporary condition, such as a lack of file descriptors.
      if (!(error instanceof LogStoreError) && !isDiskTrouble(error)) return;
      this.#lookError = storageError(error, `${this.#directory} cannot be followed`);
      for (const log of this.#partitions) log.offsets.wakeAll();
    }
  }

  /**
   * A deleted store gets no more records. Some of its files may still be there.
   *
   * @throws ClosedError
   */
  async #checkExists(): Promise<void> {
    if ((await this.#storage.list(this.#directory))?.includes(STORE_FILE)) return;
    throw new ClosedError(`the log store in ${this.#directory} was deleted`);
  }

  /** @internal */
  log(partition: number): FollowedLog {
    return partitionAt(this.#partitions, partition);
  }
}
