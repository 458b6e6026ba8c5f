/** The groups' journal of a data directory that another process writes to. */
import type { JournalStore, SnapshotReader } from "../engine/journal-store.js";
import type { PartitionLog } from "../engine/partition-log.js";
import { STORE_FILE } from "../files/file-names.js";
import type { LogStoreHooks } from "../hooks/hooks.js";
import type { Storage } from "../storage/storage.js";
import { ReadOnlyLogStore } from "../store/read-only-log-store.js";
import { GROUPS_DIRECTORY, openSnapshotFile } from "./file-journal-store.js";

export class FollowedJournal implements Pick<JournalStore, "location" | "open" | "openSnapshot" | "close"> {
  readonly location: string;
  readonly #storage: Storage;
  readonly #hooks: LogStoreHooks;
  #store: ReadOnlyLogStore | undefined;

  constructor(storage: Storage, dataDirectory: string, hooks: LogStoreHooks) {
    this.location = `${dataDirectory}/${GROUPS_DIRECTORY}`;
    this.#storage = storage;
    this.#hooks = hooks;
  }

  async open(): Promise<PartitionLog | undefined> {
    const names = (await this.#storage.list(this.location)) ?? [];
    if (!names.includes(STORE_FILE)) return undefined;
    this.#store = await ReadOnlyLogStore.openIn(this.#storage, this.location, this.#hooks);
    return this.#store.log(0);
  }

  openSnapshot(): Promise<SnapshotReader | undefined> {
    return openSnapshotFile(this.#storage, this.location);
  }

  async close(): Promise<void> {
    await this.#store?.close();
  }
}
