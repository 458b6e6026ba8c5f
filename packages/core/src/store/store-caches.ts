/** Caches of the contents of files. */
import { TailCache } from "../partition/read/tail-cache.js";
import { IndexCache } from "../segment/index-cache.js";
import { type LogStoreOptions, resolveOptions } from "./options.js";

/** The partitions of a store share these caches, and so do the topics of a broker. */
export interface StoreCaches {
  readonly indexes: IndexCache;
  readonly tails: TailCache;
}

export function storeCaches(options: LogStoreOptions): StoreCaches {
  return { indexes: new IndexCache(), tails: new TailCache(resolveOptions(options).tailCacheBytes) };
}
