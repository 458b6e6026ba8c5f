/** What a partition gets from its store. */
import type { CompressionName } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import type { Bounds } from "../files/watermarks-file.js";
import type { IndexCache } from "../segment/index-cache.js";
import type { Storage } from "../storage/storage.js";
import type { AppendQueueOptions } from "./append/append-queue.js";
import type { StoreTies, WriterOptions } from "./append/store-ties.js";
import type { TailCache } from "./read/tail-cache.js";
import type { RetentionLimits } from "./upkeep/retention-policy.js";

/** The options may be altered while the partition is open. */
export interface PartitionOptions extends AppendQueueOptions, WriterOptions, RetentionLimits {
  readonly durability: Durability;
  readonly compression: CompressionName;
}

/** The location of a partition, and what it shares with the others of its store. */
export interface PartitionHome {
  readonly storage: Storage;
  readonly directory: string;
  readonly partition: number;
  readonly indexes: IndexCache;
  readonly tails: TailCache;
  readonly ties: StoreTies;
  /** The bounds that were published when it was last open; undefined if they are unknown. */
  readonly lastPublished: Bounds | undefined;
}
