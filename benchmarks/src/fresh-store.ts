/** Stores that one run uses and nobody after it. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LogStore, type LogStoreOptions } from "@logstore/core";

/**
 * Opening, closing and removing are outside of what `work` measures: a run leaves nothing for the
 * next one to pay for.
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
