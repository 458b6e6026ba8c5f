import { NotALogStoreError } from "@logstore/codec";
import { STORE_FILE } from "../files/file-names.js";
import type { LogStoreHooks } from "../hooks/hooks.js";
import type { Storage } from "../storage/storage.js";
import { isBrokerDirectory } from "./broker-file.js";
import { FollowedCatalogue, type FollowedTopics } from "./followed-catalogue.js";
import { FollowedStore } from "./followed-store.js";

/**
 * Opens a broker's data directory, or a log store, that another process may be writing to.
 *
 * @throws NotALogStoreError, UnsupportedFormatVersionError, StorageFailedError
 */
export async function followTopics(storage: Storage, directory: string, hooks: LogStoreHooks): Promise<FollowedTopics> {
  const names = (await storage.list(directory)) ?? [];
  if (names.includes(STORE_FILE)) return FollowedStore.open(storage, directory, hooks);
  if (await isBrokerDirectory(storage, directory)) return new FollowedCatalogue(storage, directory, hooks);
  throw new NotALogStoreError(`${directory} is neither a data directory of a broker nor a log store`);
}
