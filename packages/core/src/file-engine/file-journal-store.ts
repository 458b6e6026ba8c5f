/**
 * The groups' journal as files: `groups/` in the data directory, with a log store of one partition
 * and a `snapshot`. It is created by the first change: without groups there is no directory.
 */
import { StorageFailedError } from "@logstore/codec";
import type { JournalStore, SnapshotReader, SnapshotSink } from "../engine/journal-store.js";
import type { PartitionLog } from "../engine/partition-log.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { partitionDirectory, STORE_FILE } from "../files/file-names.js";
import { replaceFile } from "../storage/atomic-file.js";
import type { FilePool } from "../storage/file-pool.js";
import type { Storage } from "../storage/storage.js";
import { LogStore } from "../store/log-store.js";
import type { LogStoreOptions } from "../store/options.js";
import { storeCaches } from "../store/store-caches.js";

export const GROUPS_DIRECTORY = "groups";
const SNAPSHOT_FILE = "snapshot";
const SEGMENT_BYTES = 4 * 1024 * 1024;

export class FileJournalStore implements JournalStore {
  readonly location: string;
  readonly #storage: FilePool;
  readonly #segmentBytes: number;
  #store: LogStore | undefined;

  constructor(storage: FilePool, dataDirectory: string, { segmentBytes = SEGMENT_BYTES } = {}) {
    this.location = `${dataDirectory}/${GROUPS_DIRECTORY}`;
    this.#storage = storage;
    this.#segmentBytes = segmentBytes;
  }

  async open(): Promise<PartitionLog | undefined> {
    return (await this.#isMade()) ? this.#openStore() : undefined;
  }

  async make(): Promise<PartitionLog> {
    await this.#storage.makeDirectory(this.location);
    return this.#openStore();
  }

  openSnapshot(): Promise<SnapshotReader | undefined> {
    return openSnapshotFile(this.#storage, this.location);
  }

  async replaceSnapshot(write: (sink: SnapshotSink) => Promise<void>): Promise<void> {
    await replaceFile(this.#storage, this.location, SNAPSHOT_FILE, async (file) => {
      let position = 0;
      await write(async (pieces) => {
        await file.write(pieces, position);
        for (const { length } of pieces) position += length;
      });
    });
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }

  /**
   * Whether the log exists. A crash during its creation may have left an empty or incomplete
   * directory.
   */
  async #isMade(): Promise<boolean> {
    const names = (await this.#storage.list(this.location)) ?? [];
    if (names.includes(STORE_FILE)) return true;
    if (!names.includes(SNAPSHOT_FILE) && !names.includes(partitionDirectory(0))) return false;
    throw new StorageFailedError(
      `${this.location}/${STORE_FILE} is missing, and what groups committed is not known: restore the directory from a copy, or remove it and all groups begin anew`,
      { file: `${GROUPS_DIRECTORY}/${STORE_FILE}` },
    );
  }

  async #openStore(): Promise<PartitionLog> {
    const options: LogStoreOptions = {
      partitions: 1,
      segmentBytes: this.#segmentBytes,
      maxBatchBytes: STORED_BATCH_LIMITS.maxBatchBytes,
      maxQueuedBytes: Number.MAX_SAFE_INTEGER, // the groups check the queue before they make a change
      tailCacheBytes: 0,
    };
    this.#store = await LogStore.openLocked(this.location, options, this.#storage, storeCaches(options));
    return this.#store.log(0);
  }
}

/** @param directory of the journal */
export async function openSnapshotFile(storage: Storage, directory: string): Promise<SnapshotReader | undefined> {
  try {
    return await storage.openFile(`${directory}/${SNAPSHOT_FILE}`, "read");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
