/** What is kept in memory of a store's files. */
import { TailCache } from "../partition/read/tail-cache.js";
import { IndexCache } from "../segment/index-cache.js";
import { type LogStoreOptions, resolveOptions } from "./options.js";

/** What is kept in memory of all partitions together; the topics of a broker share them. */
export interface StoreCaches {
  readonly indexes: IndexCache;
  readonly tails: TailCache;
}

export function storeCaches(options: LogStoreOptions): StoreCaches {
  return { indexes: new IndexCache(), tails: new TailCache(resolveOptions(options).tailCacheBytes) };
}
