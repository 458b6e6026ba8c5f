/** Defects of log stores, and their snapshots. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import {
  FAULTS,
  FOUND_DAMAGE,
  GOLDEN,
  LOCK,
  OVERTAKEN,
  POWER_CUTS,
  READ_ONLY,
  RECOVERY,
  SNAPSHOT_CRASH,
  SNAPSHOTS,
  STORE,
  STORE_SNAPSHOT,
} from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreStoreDefects: readonly Defect[] = [
  ...within("core/store/record-source.ts", ["src/store/malformed-record.test.ts"], {
    "hands out the places of records that were not read": ["    chunk.length = count;\n", ""],
  }),
  ...within("core/store/read-only-log-store.ts", [GOLDEN], {
    "does not look when it is told": [
      "() => void this.look());\n    } catch",
      "() => {});\n    } catch",
      "waits for tests",
    ],
    "reads the watermarks after the files": [
      "store = new ReadOnlyLogStore(storage, path, identity, partitions);",
      "store = new ReadOnlyLogStore(storage, path, identity, partitions);\n    await store.look();",
      "waits for tests",
    ],
  }),
  ...within("core/store/shared-task.ts", [READ_ONLY], {
    "joins a run that may have missed a change": [
      "    this.#next = undefined;\n    await this.#work();",
      "    await this.#work();\n    this.#next = undefined;",
    ],
  }),
  ...within("core/store/open-store.ts", [POWER_CUTS, STORE, FAULTS, LOCK], {
    "keeps the lock of a store that it could not open": [
      "} catch (error) {\n    await lock.release().catch(() => {});\n    throw error;",
      "} catch (error) {\n    throw error;",
    ],
    "does not sync the name of store.json": [
      "await storage.syncDirectory(path); // a crash may have occurred after the file was renamed and before this",
      "",
    ],
    "opens a topic beside its broker": ["await checkNotABrokers(storage, path);", ""],
  }),
  ...within("core/store/repair-store.ts", [STORE, GOLDEN], {
    "does not tell other processes of a repair": [
      "if (bounds !== undefined) await watermarks.set(partition, bounds);",
      "void bounds;",
      "waits for tests",
    ],
  }),
  ...within("core/snapshot/cut.ts", [SNAPSHOTS, STORE_SNAPSHOT], {
    "takes what may not be read yet": ["end: highWatermark,", "end: log.offsets.logEnd,"],
    "lets files go that it needs": ["segments.map((segment) => segment.hold())", "segments.map(() => async () => {})"],
    "goes on from a place that was deleted": ["if (outdated.length === 0)", "if (outdated.length >= 0)"],
  }),
  ...within("core/snapshot/copy-partition.ts", [OVERTAKEN, SNAPSHOTS, STORE_SNAPSHOT, SNAPSHOT_CRASH], {
    "links the segment that is written to": [
      "await copyFile(storage, last.path, `${directory}/${last.name}`, position);",
      "await linkOrCopy(storage, last.path, `${directory}/${last.name}`);",
    ],
    "does not wait for a finished segment's sync": ["await log.finishedDurably();", ""],
    "forgets the newest batches of producers": ["producers.appended(batch);", ""],
    "notes no log start": ["...found, logStart,", "...found, logStart: 0,"],
  }),
  ...within("core/restore/restore-store.ts", [SNAPSHOTS, SNAPSHOT_CRASH], {
    "links the segment that goes on": ["if (baseOffset === last) await copyFile", "if (baseOffset < 0) await copyFile"],
    "keeps the id of another store": ["{ ...identity, id: storage.randomHex(16) }", "identity"],
  }),
  ...within("core/restore/check-restored.ts", [SNAPSHOTS], {
    "takes less than there was": ["if (sizeBytes !== said.sizeBytes)", "if (sizeBytes > said.sizeBytes)"],
  }),
  ...within("core/store/batch-source.ts", [RECOVERY, GOLDEN, FOUND_DAMAGE], {
    "reads without verifying": ["return batch.verify();", "return batch;"],
    "ends quietly at the damage": ["    log.checkEnd();\n    return false;", "    return false;"],
  }),
];
