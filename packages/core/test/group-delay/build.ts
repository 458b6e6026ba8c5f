import { GroupCoordinator } from "../../src/group/group-coordinator.js";
import { FilePool } from "../../src/storage/file-pool.js";
import { MemoryStorage } from "../../src/storage/memory-storage.js";
import type { Build } from "./requests.js";

/** Loads a build's group coordinator, on storage in memory, with topics that need no records. */
export async function builtIn(directory: URL): Promise<Build> {
  const load = (name: string) => import(`${directory.href}/${name}`);
  const { GroupCoordinator } = await load("group/group-coordinator.js");
  const { FilePool } = await load("storage/file-pool.js");
  const { MemoryStorage } = await load("storage/memory-storage.js");
  return buildOf(GroupCoordinator, FilePool, MemoryStorage);
}

export const ownBuild: Build = buildOf(GroupCoordinator, FilePool, MemoryStorage);

function buildOf(Coordinator: typeof GroupCoordinator, Pool: typeof FilePool, Memory: typeof MemoryStorage): Build {
  return {
    newStorage: () => new Memory(),
    async open(storage, topics) {
      await (storage as MemoryStorage).makeDirectory("data");
      const bounds = { logStart: 0, highWatermark: 100, logEnd: 100 };
      return Coordinator.open(new Pool(storage as MemoryStorage, 64), "data", {
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
