/** The parts of an engine that groups need, on a disk supplied by the test. */
import { FileJournalStore } from "../src/file-engine/file-journal-store.js";
import type { GroupEngine } from "../src/group/journal/group-log.js";
import { FilePool } from "../src/storage/file-pool.js";
import type { Storage } from "../src/storage/storage.js";

export function groupsOn(disk: Storage, options: { readonly segmentBytes?: number } = {}): GroupEngine {
  const storage = new FilePool(disk, 64);
  return {
    journal: new FileJournalStore(storage, "data", options),
    now: () => storage.now(),
    randomHex: (byteCount) => storage.randomHex(byteCount),
  };
}
