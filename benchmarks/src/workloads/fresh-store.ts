/** A new store for each run. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LogStore, type LogStoreOptions } from "@logstore/core";

/**
 * Opening, closing and removing the store are not part of what `work` measures, and a run leaves
 * nothing behind that slows down the next one.
 */
export async function withFreshStore<T>(
  directory: string,
  options: LogStoreOptions,
  work: (store: LogStore) => Promise<T>,
): Promise<T> {
  const path = await mkdtemp(join(directory, "store-"));
  const store = await LogStore.open(path, options);
  try {
    return await work(store);
  } finally {
    await store.close();
    await rm(path, { recursive: true });
  }
}
