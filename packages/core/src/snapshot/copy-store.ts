/** Copies a log store as of one point in time to another directory, while it is being written. */
import { partitionDirectory } from "../files/file-names.js";
import { type StoreIdentity, writeStoreFile } from "../files/store-file.js";
import { Pacer } from "../pacing/pacer.js";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { Storage } from "../storage/storage.js";
import { copyPartition } from "./copy-partition.js";
import { cutAll } from "./cut.js";

/** Description of a snapshot. */
export interface StoreSnapshot {
  /** The time of the snapshot, in ms since the epoch. */
  readonly createdAt: number;
  /** One entry for each partition, in order. `logEndOffset` is the offset after its last record. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly logStartOffset: number;
    readonly logEndOffset: number;
  }[];
  /**
   * Total size of its log files, in bytes. While the store still has the same segments, they share
   * the disk space.
   */
  readonly sizeBytes: number;
}

export interface SnapshotSource {
  readonly storage: Storage;
  readonly identity: StoreIdentity;
  readonly logs: readonly FilePartitionLog[];
}

/** @param directory must not exist; a crash may leave a part of it */
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
    const pacer = new Pacer(); // partitions without records never wait for the disk
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
