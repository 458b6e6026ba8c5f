/** The options of a log store, and their defaults. */
import {
  type BatchLimits,
  type CompressionName,
  defaultBatchLimits,
  fnvPartitioner,
  InvalidArgumentError,
  MIN_BATCH_LENGTH,
  type Partitioner,
  RecordBatchBuilder,
} from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import type { LogStoreHooks } from "../hooks/hooks.js";
import { checkFileDurability } from "../partition/append/file-durability.js";
import type { Storage } from "../storage/storage.js";

const MIB = 1024 * 1024;

/** Options of {@link LogStore.open}. */
export interface LogStoreOptions {
  /** Number of partitions, which never changes. Default: that of the existing store, or 1. */
  readonly partitions?: number | undefined;
  /** When an append is acknowledged, unless the append itself specifies it. Default "flushed". */
  readonly durability?: Durability | undefined;
  /** Size at which a partition rolls to a new segment file, in bytes. Default 64 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Size of the largest batch that is accepted, in bytes. Default 16 MiB. */
  readonly maxBatchBytes?: number | undefined;
  /** Compression of records passed to `append` and `appendMany`. Default "none". */
  readonly compression?: CompressionName | undefined;
  /** Maps keys to partitions. Default: FNV-1a 32 modulo the number of partitions. */
  readonly partitioner?: Partitioner | undefined;
  /**
   * Size of the appends of one partition that may wait to be written, in bytes. Further appends
   * fail with a BufferFullError. Default 64 MiB.
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * Age after which records are deleted, in ms. Only whole segments are deleted, some time after
   * all their records have reached this age. Default: no limit.
   */
  readonly retentionMs?: number | undefined;
  /**
   * A partition's oldest segments are deleted as long as the remaining ones have at least this
   * size, in bytes. Default: no limit.
   */
  readonly retentionBytes?: number | undefined;
  /**
   * Size of the cache of the newest batches, which serves readers at the end of the log, in bytes;
   * for all partitions together. Default 4 MiB.
   */
  readonly tailCacheBytes?: number | undefined;
  /** Largest number of open files. Default 512. */
  readonly maxOpenFiles?: number | undefined;
  /** Callbacks for metrics and logs. */
  readonly hooks?: LogStoreHooks | undefined;
  /** Where files are stored. Default: the file system, or memory for ":memory:". */
  readonly storage?: Storage | undefined;
}

/** Options that can be altered while a store is open. */
export type AlterableOptions = Pick<
  LogStoreOptions,
  "durability" | "segmentBytes" | "maxBatchBytes" | "compression" | "maxQueuedBytes" | "retentionMs" | "retentionBytes"
>;

const isAlterable: { readonly [Name in keyof AlterableOptions]-?: true } = {
  durability: true,
  segmentBytes: true,
  maxBatchBytes: true,
  compression: true,
  maxQueuedBytes: true,
  retentionMs: true,
  retentionBytes: true,
};

/** Names of {@link AlterableOptions}. */
export const ALTERABLE = Object.keys(isAlterable) as readonly (keyof AlterableOptions)[];

/** Returns the options with the given alterations; an option may be altered to undefined. */
export function alteredOptions(given: LogStoreOptions, changes: AlterableOptions): LogStoreOptions {
  const altered = { ...given };
  for (const name of ALTERABLE) if (name in changes) Object.assign(altered, { [name]: changes[name] });
  return altered;
}

/** Options of {@link LogStore.openReadOnly}. */
export type ReadOnlyOptions = Pick<LogStoreOptions, "storage" | "maxOpenFiles" | "hooks">;

export interface ResolvedOptions {
  readonly partitions: number | undefined;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly limits: BatchLimits;
  readonly compression: CompressionName;
  readonly partitioner: Partitioner;
  readonly maxQueuedBytes: number;
  readonly retentionMs: number | undefined;
  readonly retentionBytes: number | undefined;
  readonly tailCacheBytes: number;
  readonly maxOpenFiles: number;
  readonly hooks: LogStoreHooks;
}

export const DEFAULT_MAX_OPEN_FILES = 512;

/** Positions within a segment have 32 bits. */
export const MAX_SEGMENT_BYTES = 2 ** 31;

export function resolveOptions(options: LogStoreOptions): ResolvedOptions {
  const { partitions, durability = "flushed", segmentBytes = 64 * MIB, maxQueuedBytes = 64 * MIB } = options;
  const {
    maxBatchBytes = defaultBatchLimits.maxBatchBytes,
    compression = "none",
    partitioner = fnvPartitioner,
    retentionMs,
    retentionBytes,
    tailCacheBytes = 4 * MIB,
    maxOpenFiles = DEFAULT_MAX_OPEN_FILES,
    hooks = {},
  } = options;
  if (partitions !== undefined) checkRange("partitions", partitions, 1, 1_000_000);
  checkRange("segmentBytes", segmentBytes, MIN_BATCH_LENGTH, MAX_SEGMENT_BYTES);
  checkRange("maxBatchBytes", maxBatchBytes, MIN_BATCH_LENGTH, STORED_BATCH_LIMITS.maxBatchBytes);
  checkRange("maxQueuedBytes", maxQueuedBytes, 1, Number.MAX_SAFE_INTEGER);
  if (retentionMs !== undefined) checkRange("retentionMs", retentionMs, 0, Number.MAX_SAFE_INTEGER);
  if (retentionBytes !== undefined) checkRange("retentionBytes", retentionBytes, 0, Number.MAX_SAFE_INTEGER);
  checkRange("tailCacheBytes", tailCacheBytes, 0, Number.MAX_SAFE_INTEGER);
  checkRange("maxOpenFiles", maxOpenFiles, 1, Number.MAX_SAFE_INTEGER);
  checkFileDurability(durability);
  new RecordBatchBuilder({ compression }); // throws if the compression is not registered
  const maxRecordsBytes = Math.max(defaultBatchLimits.maxRecordsBytes, maxBatchBytes);
  return {
    partitions,
    durability,
    segmentBytes,
    limits: { maxBatchBytes, maxRecordsBytes },
    compression,
    partitioner,
    maxQueuedBytes,
    retentionMs,
    retentionBytes,
    tailCacheBytes,
    maxOpenFiles,
    hooks,
  };
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new InvalidArgumentError(`${name} is a whole number from ${least} to ${most}, not ${value}`);
}
