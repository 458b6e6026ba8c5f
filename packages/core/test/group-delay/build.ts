import { GroupCoordinator } from "../../src/group/group-coordinator.js";
import type { GroupEngine } from "../../src/group/journal/group-log.js";
import type { GroupTopics } from "../../src/group/state/group-topics.js";
import { MemoryStorage } from "../../src/storage/memory-storage.js";
import { groupsOn } from "../file-groups.js";
import type { Build } from "./requests.js";

type Open = (storage: MemoryStorage, topics: GroupTopics) => Promise<GroupCoordinator>;

/** Loads a build's group coordinator, on storage in memory, with topics that need no records. */
export async function builtIn(directory: URL): Promise<Build> {
  const load = (name: string) => import(`${directory.href}/${name}`);
  const { GroupCoordinator } = await load("group/group-coordinator.js");
  const { FilePool } = await load("storage/file-pool.js");
  const { MemoryStorage } = await load("storage/memory-storage.js");
  const engines = await load("file-engine/file-journal-store.js").catch(() => undefined);
  return buildOf(MemoryStorage, (storage, topics) => {
    const pool = new FilePool(storage, 64);
    // Builds before there were engines take the storage and a directory.
    if (engines === undefined) return GroupCoordinator.open(pool, "data", topics);
    const journal: GroupEngine["journal"] = new engines.FileJournalStore(pool, "data");
    const randomHex = (byteCount: number) => pool.randomHex(byteCount);
    return GroupCoordinator.open({ journal, now: () => pool.now(), randomHex }, topics);
  });
}

export const ownBuild: Build = buildOf(MemoryStorage, (storage, topics) =>
  GroupCoordinator.open(groupsOn(storage), topics),
);

function buildOf(Memory: typeof MemoryStorage, open: Open): Build {
  return {
    newStorage: () => new Memory(),
    async open(storage, topics) {
      await (storage as MemoryStorage).makeDirectory("data");
      const bounds = { logStart: 0, highWatermark: 100, logEnd: 100 };
      return open(storage as MemoryStorage, {
        refresh: () => undefined,
        counts: () => new Map(topics),
        mayExist: () => true,
        isDamaged: () => false,
        bounds: () => bounds,
        resolve: async (_topic, _partition, position) => position as number,
        id: (topic) => `id of ${topic}`,
        lag: async () => ({ logEndOffset: 100, lag: 0, lagMs: 0 }),
      });
    },
  };
}
