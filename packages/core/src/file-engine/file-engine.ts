/** The engine whose partitions are files in a data directory of this process. */
import type { LogStoreError } from "@logstore/codec";
import type { Engine } from "../engine/engine.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { FILE_DURABILITIES } from "../partition/append/file-durability.js";
import type { FilePool } from "../storage/file-pool.js";
import { homeOf, takeHome } from "../storage/home.js";
import { runAll } from "../storage/run-all.js";
import type { Lock } from "../storage/storage.js";
import { tellNewDirectory } from "../store/new-directory.js";
import { type LogStoreOptions, resolveOptions } from "../store/options.js";
import { isBrokerDirectory, makeBrokerDirectory } from "./broker-file.js";
import { FileCatalogue } from "./file-catalogue.js";
import { FileJournalStore } from "./file-journal-store.js";
import { FileMap } from "./file-map.js";
import type { FileTopic } from "./file-topic.js";

/** Options that apply to every topic, see {@link LogStoreOptions}. */
export type FileEngineOptions = Omit<LogStoreOptions, "partitions" | "partitioner">;

export class FileEngine implements Engine<FileTopic> {
  readonly name = "files";
  readonly storage: FilePool;
  readonly directory: string;
  readonly catalogue: FileCatalogue;
  readonly map: FileMap;
  readonly journal: FileJournalStore;
  readonly maxBatchBytes = STORED_BATCH_LIMITS.maxBatchBytes;
  readonly durabilities = FILE_DURABILITIES;
  readonly #lock: Lock;
  readonly #healthListeners = new Set<() => void>();

  private constructor(storage: FilePool, directory: string, lock: Lock, options: FileEngineOptions) {
    const healthChanged = () => {
      for (const changed of this.#healthListeners) changed();
    };
    this.storage = storage;
    this.directory = directory;
    this.catalogue = new FileCatalogue(storage, directory, options, healthChanged);
    this.map = new FileMap(storage, directory);
    this.journal = new FileJournalStore(storage, directory);
    this.#lock = lock;
    storage.guard.failed.add(healthChanged);
  }

  /**
   * Opens a data directory, and creates it if it does not exist; ":memory:" is a new one in memory.
   *
   * @throws LockedError, NotALogStoreError, UnsupportedFormatVersionError, InvalidArgumentError;
   * the storage's errors
   */
  static async open(directory: string, options: FileEngineOptions = {}): Promise<FileEngine> {
    const { maxOpenFiles, hooks } = resolveOptions(options);
    const home = homeOf(directory, { storage: options.storage, maxOpenFiles, warned: hooks.warned });
    const { path, storage } = home;
    await isBrokerDirectory(storage, path); // checks before anything is changed
    const lock = await takeHome(home);
    try {
      if (!(await isBrokerDirectory(storage, path))) {
        await makeBrokerDirectory(storage, path);
        tellNewDirectory(hooks, directory, "data");
      }
      return new FileEngine(storage, path, lock, options);
    } catch (error) {
      await lock.release().catch(() => {});
      throw error;
    }
  }

  /** Set if the data directory is gone or replaced, or another writer has it. */
  get failure(): LogStoreError | undefined {
    return this.storage.guard.failure;
  }

  onHealth(changed: () => void): void {
    this.#healthListeners.add(changed);
  }

  now(): number {
    return this.storage.now();
  }

  randomHex(byteCount: number): string {
    return this.storage.randomHex(byteCount);
  }

  /** Completes pending work, and releases the directory. */
  async close(): Promise<void> {
    await runAll(
      () => this.map.settle(),
      () => this.#lock.release(),
    );
  }
}
