/** The identity of a store, which never changes, and checks that a directory is that store. */
import { join } from "node:path";
import { NotALogStoreError, PartitionCountMismatchError, PartitionerMismatchError } from "@logstore/codec";
import { BROKER_FILE, TOPIC_FILE } from "../files/file-names.js";
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

/** @throws PartitionCountMismatchError, PartitionerMismatchError */
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

/**
 * Number of levels from a broker's data directory to the deepest stores in it,
 * `snapshots/<topic>/<name>`.
 */
const LEVELS = 3;

/**
 * Checks that a directory is not inside the data directory of a broker, whose lock covers all
 * stores in it.
 *
 * @throws NotALogStoreError
 */
export async function checkNotABrokers(storage: Storage, directory: string): Promise<void> {
  const isTopic = (await storage.list(directory))?.includes(TOPIC_FILE);
  if (isTopic) throw brokers(directory, "is a topic of a broker", TOPIC_FILE);
  for (const above of directoriesAbove(directory)) {
    if (await isThere(storage, `${above}/${BROKER_FILE}`)) {
      throw brokers(directory, `lies within the data directory of a broker, ${above},`, BROKER_FILE);
    }
  }
}

/** The parent directories by path, and those with symbolic links resolved. */
function directoriesAbove(directory: string): Set<string> {
  const above = new Set<string>();
  let named = directory;
  let real = directory;
  for (let level = 0; level < LEVELS; level++) {
    named = join(named, "..");
    real = `${real}/..`;
    above.add(named).add(real);
  }
  return above;
}

async function isThere(storage: Storage, path: string): Promise<boolean> {
  try {
    await (await storage.openFile(path, "read")).close();
    return true;
  } catch {
    return false; // a process without permission to read it is not the broker
  }
}

function brokers(directory: string, what: string, file: string): NotALogStoreError {
  return new NotALogStoreError(
    `${directory} ${what} and is opened by it: open the broker's directory, or this one to read only`,
    { file },
  );
}
