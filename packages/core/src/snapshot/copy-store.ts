/** A log store as it is at one moment, in another directory, while it is written to. */
import { partitionDirectory } from "../files/file-names.js";
import { type StoreIdentity, writeStoreFile } from "../files/store-file.js";
import type { PartitionLog } from "../partition/partition-log.js";
import { Pacer } from "../storage/pacer.js";
import type { Storage } from "../storage/storage.js";
import { copyPartition } from "./copy-partition.js";
import { cutAll } from "./cut.js";

/** What a snapshot holds. */
export interface StoreSnapshot {
  /** The moment, ms since the epoch. */
  readonly createdAt: number;
  /** One for each, in order. `logEndOffset` is one past the last record in it. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly logStartOffset: number;
    readonly logEndOffset: number;
  }[];
  /**
   * Length of its log files together. Most take no room of their own while the store has them too.
   */
  readonly sizeBytes: number;
}

export interface SnapshotSource {
  readonly storage: Storage;
  readonly identity: StoreIdentity;
  readonly logs: readonly PartitionLog[];
}

/** @param directory where nothing is; a crash may leave some of it there */
export async function copyStore(
  { storage, identity, logs }: SnapshotSource,
  directory: string,
  signal: AbortSignal,
): Promise<StoreSnapshot> {
  signal.throwIfAborted();
  const cuts = await cutAll(logs);
  const createdAt = storage.now();
  try {
    await storage.makeDirectory(directory);
    await writeStoreFile(storage, directory, identity);
    let sizeBytes = 0;
    const pacer = new Pacer(); // partitions without records need nothing of the disk that would be waited for
    for (const cut of cuts) {
      await pacer.pause();
      const { log, release } = cut;
      sizeBytes += await copyPartition(storage, `${directory}/${partitionDirectory(log.partition)}`, cut, signal);
      await release();
    }
    const partitions = cuts.map(({ log: { partition }, logStart, end }) => {
      return { partition, logStartOffset: logStart, logEndOffset: end };
    });
    return { createdAt, partitions, sizeBytes };
  } finally {
    for (const { release } of cuts) await release();
  }
}
