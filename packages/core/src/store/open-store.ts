/** Opens what a log store consists of: its directory, its partitions, its watermarks. */
import { partitionDirectory } from "../files/file-names.js";
import { readStoreFile, type StoreIdentity } from "../files/store-file.js";
import { readWatermarks, Watermarks } from "../files/watermarks-file.js";
import { tell } from "../hooks/hooks.js";
import { clockBehind } from "../hooks/warnings.js";
import type { PublishBounds, StoreTies } from "../partition/append/store-ties.js";
import { FilePartitionLog } from "../partition/file-partition-log.js";
import type { GuardedStorage } from "../storage/directory-guard.js";
import { homeOf, takeHome } from "../storage/home.js";
import type { Lock } from "../storage/storage.js";
import { allOrNone } from "./all-or-none.js";
import { checkStoreOptions } from "./check-options.js";
import { checkNotABrokers, checkStore, makeStore } from "./identity.js";
import { tellNewDirectory } from "./new-directory.js";
import { type LogStoreOptions, type ResolvedOptions, resolveOptions } from "./options.js";
import { type StoreCaches, storeCaches } from "./store-caches.js";

export interface StoreParts {
  /** One is replaced where it is repaired. */
  readonly partitions: FilePartitionLog[];
  readonly openPartition: (partition: number) => Promise<FilePartitionLog>;
  readonly identity: StoreIdentity;
  /** As they were given. */
  readonly given: LogStoreOptions;
  /** The same with the defaults; the partitions read them whenever they need to. */
  readonly options: ResolvedOptions;
  readonly storage: GuardedStorage;
  /** Undefined where the store's directory is in one that is locked as a whole. */
  readonly lock: Lock | undefined;
  readonly watermarks: Watermarks;
}

/** Makes the store where there is none. */
export async function openStore(directory: string, given: LogStoreOptions): Promise<StoreParts> {
  checkStoreOptions(given);
  const options = resolveOptions(given);
  const { maxOpenFiles, hooks } = options;
  const home = homeOf(directory, { storage: given.storage, maxOpenFiles, warned: hooks.warned });
  const { path, storage } = home;
  // A look before anything is touched: a directory that is something else's is left as it is.
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
  const checkOwner = () => storage.guard.check();
  const clockIsBehind: StoreTies["clockIsBehind"] = (partition, now, lastAppendTime) => {
    const { warned } = options.hooks;
    if (warned === undefined || !storage.isClockWarningDue()) return;
    tell(() => warned(clockBehind(partition, now, lastAppendTime)));
  };
  const identity = (await readStoreFile(storage, path)) ?? (await makeStore(storage, path, options));
  await storage.syncDirectory(path); // a crash may have come between the file's renaming and that
  checkStore(path, identity, options);
  const published = await readWatermarks(storage, path).catch(() => []);
  let watermarks: Watermarks | undefined;
  const openPartition = (partition: number) => {
    const directory = `${path}/${partitionDirectory(partition)}`;
    const publishBounds: PublishBounds = async (logStart, highWatermark) =>
      watermarks?.set(partition, { logStart, highWatermark });
    const ties = { publishBounds, checkOwner, clockIsBehind };
    const where = { storage, directory, partition, indexes, tails, ...ties, lastPublished: published[partition] };
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
