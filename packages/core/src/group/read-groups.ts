/** The groups in a journal that another process writes to. */
import { setTimeout } from "node:timers/promises";
import { type ReadableJournal, recoverGroupStates } from "./journal/group-log.js";
import type { GroupState } from "./state/group-state.js";

const ATTEMPTS = 5;

/**
 * The writer may replace the snapshot, and delete what it holds from the log, while both are being
 * read: apparent loss is only reported if it persists.
 *
 * @param openJournal called for each attempt
 * @throws StorageFailedError, CorruptPartitionError, NotALogStoreError,
 * UnsupportedFormatVersionError
 */
export async function readGroups(openJournal: () => ReadableJournal): Promise<ReadonlyMap<string, GroupState>> {
  for (let attempt = 1; ; attempt++) {
    const journal = openJournal();
    try {
      return await recoverGroupStates(journal);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    } finally {
      await journal.close();
    }
    await setTimeout(attempt * 20);
  }
}
