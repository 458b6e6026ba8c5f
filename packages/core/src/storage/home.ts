/** The location of a store or broker: a directory of the file system, or memory. */
import type { WarnedEvent } from "../hooks/warnings.js";
import { FilePool } from "./file-pool.js";
import { MemoryStorage } from "./memory-storage.js";
import { NodeStorage } from "./node-storage.js";
import type { Lock, Storage } from "./storage.js";

const IN_MEMORY = ":memory:";

export interface HomeOptions {
  /** Default: the file system, or memory for ":memory:". */
  readonly storage: Storage | undefined;
  readonly maxOpenFiles: number;
  /** Called when the system has no more file descriptors. */
  readonly warned: ((event: WarnedEvent) => void) | undefined;
}

export interface Home {
  /** Path of the directory in the storage. */
  readonly path: string;
  readonly storage: FilePool;
}

export function homeOf(directory: string, { storage, maxOpenFiles, warned }: HomeOptions): Home {
  const inner = storage ?? (isInMemory(directory) ? new MemoryStorage() : new NodeStorage());
  const path = trimmedPath(directory);
  return { path, storage: new FilePool(inner, maxOpenFiles, path, warned) };
}

/** Creates the directory, unless it exists, and locks it. */
export async function takeHome({ path, storage }: Home): Promise<Lock> {
  await storage.makeParents(path);
  await storage.makeDirectory(path);
  return storage.lock(path);
}

export function isInMemory(directory: string): boolean {
  return directory === IN_MEMORY;
}

/** Removes trailing slashes from a path. */
export function trimmedPath(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
}
