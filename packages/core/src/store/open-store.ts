/** Opens and closes the parts of a log store: its directory, partitions and watermarks. */
import { partitionDirectory } from "../files/file-names.js";
import { readStoreFile, type StoreIdentity } from "../files/store-file.js";
import { readWatermarks, Watermarks } from "../files/watermarks-file.js";
import { tell } from "../hooks/hooks.js";
import { clockBehind } from "../hooks/warnings.js";
import type { PublishBounds, StoreTies } from "../partition/append/store-ties.js";
import { FilePartitionLog } from "../partition/file-partition-log.js";
import type { GuardedStorage } from "../storage/directory-guard.js";
import { homeOf, takeHome } from "../storage/home.js";
import { eachInParallel } from "../storage/in-parallel.js";
import { runAll } from "../storage/run-all.js";
import type { Lock } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";
import { allOrNone } from "./all-or-none.js";
import { checkStoreOptions } from "./check-options.js";
import { checkNotABrokers, checkStore, makeStore } from "./identity.js";
import { tellNewDirectory } from "./new-directory.js";
import { type LogStoreOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { type StoreCaches, storeCaches } from "./store-caches.js";

export interface StoreParts {
  /** A repair replaces a partition. */
  readonly partitions: FilePartitionLog[];
  readonly openPartition: (partition: number) => Promise<FilePartitionLog>;
  readonly identity: StoreIdentity;
  /** The options as given. */
  readonly given: LogStoreOptions;
  /** The options with their defaults. The partitions follow alterations of this object. */
  readonly options: ResolvedOptions;
  readonly storage: GuardedStorage;
  /** Undefined if the lock of a directory above covers the store. */
  readonly lock: Lock | undefined;
  readonly watermarks: Watermarks;
}

/** Creates the store if it does not exist. */
export async function openStore(directory: string, given: LogStoreOptions): Promise<StoreParts> {
  checkStoreOptions(given);
  const options = resolveOptions(given);
  const { maxOpenFiles, hooks } = options;
  const home = homeOf(directory, { storage: given.storage, maxOpenFiles, warned: hooks.warned });
  const { path, storage } = home;
  // Checked before anything is written, so that a directory of another kind is not modified.
  const found = await readStoreFile(storage, path);
  checkStore(path, found, options);
  await checkNotABrokers(storage, path);
  const lock = await takeHome(home);
  try {
    const parts = await openLockedStore(path, given, storage, storeCaches(given), lock);
    if (found === undefined) tellNewDirectory(hooks, directory, "log store");
    return parts;
  } catch (error) {
    await lock.release().catch(() => {});
    throw error;
  }
}

/** @param lock to be released when the store is closed */
export async function openLockedStore(
  path: string,
  given: LogStoreOptions,
  storage: GuardedStorage,
  { indexes, tails }: StoreCaches,
  lock?: Lock,
): Promise<StoreParts> {
  const options = resolveOptions(given);
  const checkOwner = (maxAgeMs?: number) => storage.guard.check(maxAgeMs);
  const clockIsBehind: StoreTies["clockIsBehind"] = (partition, now, lastAppendTime) => {
    const { warned } = options.hooks;
    if (warned === undefined || !storage.isClockWarningDue()) return;
    tell(() => warned(clockBehind(partition, now, lastAppendTime)));
  };
  const identity = (await readStoreFile(storage, path)) ?? (await makeStore(storage, path, options));
  await storage.syncDirectory(path); // a crash may have occurred after the file was renamed and before this
  checkStore(path, identity, options);
  const published = await readWatermarks(storage, path).catch(() => []);
  let watermarks: Watermarks | undefined;
  const publishBounds: PublishBounds = (partition, logStart, highWatermark) =>
    watermarks?.set(partition, { logStart, highWatermark });
  const ties: StoreTies = { publishBounds, checkOwner, clockIsBehind };
  const openPartition = (partition: number) => {
    const directory = `${path}/${partitionDirectory(partition)}`;
    const where = { storage, directory, partition, indexes, tails, ties, lastPublished: published[partition] };
    return FilePartitionLog.open(where, options);
  };
  const partitions = await allOrNone(identity.partitions, openPartition);
  watermarks = await Watermarks.open(
    storage,
    path,
    partitions.map(({ bounds }) => bounds),
  );
  return { partitions, openPartition, identity, given, options, storage, lock, watermarks };
}

export async function closeStore({ partitions, watermarks, lock }: StoreParts): Promise<void> {
  await withStorageErrors("the log store was closed, but not cleanly", () =>
    runAll(
      () => eachInParallel(partitions, (log) => log.close()),
      () => watermarks.close(),
      () => lock?.release(),
    ),
  );
}
