/** What a store is for ever, and whether a directory holds the one that was asked for. */
import { NotALogStoreError, PartitionCountMismatchError, PartitionerMismatchError } from "@logstore/codec";
import { TOPIC_FILE } from "../files/file-names.js";
import { type StoreIdentity, writeStoreFile } from "../files/store-file.js";
import type { Storage } from "../storage/storage.js";
import type { ResolvedOptions } from "./options.js";

export async function makeStore(storage: Storage, directory: string, options: ResolvedOptions): Promise<StoreIdentity> {
  const file: StoreIdentity = {
    id: storage.randomHex(16),
    partitions: options.partitions ?? 1,
    partitioner: options.partitioner.name,
  };
  await writeStoreFile(storage, directory, file);
  return file;
}

/** @throws PartitionCountMismatchError, PartitionerMismatchError where it is not the store that was asked for */
export function checkStore(
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

/** A topic belongs to its broker, which alone has its directory locked. */
export async function checkNoTopic(storage: Storage, directory: string): Promise<void> {
  if (!(await storage.list(directory))?.includes(TOPIC_FILE)) return;
  throw new NotALogStoreError(
    `${directory} is a topic of a broker: open the broker's directory, or this one to read only`,
    {
      file: TOPIC_FILE,
    },
  );
}
