/** What may be said of a log store when it is opened, and what holds where nothing is said. */
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
  /**
   * How many partitions the store has, for ever. Default: as many as it has, or 1 for a new one.
   */
  readonly partitions?: number | undefined;
  /** When an append is acknowledged, unless it says so itself. Default "flushed". */
  readonly durability?: Durability | undefined;
  /**
   * A partition goes on in a new file when one would become longer than this, bytes. Default 64
   * MiB.
   */
  readonly segmentBytes?: number | undefined;
  /** Longest batch that is taken in, bytes. Default 16 MiB. */
  readonly maxBatchBytes?: number | undefined;
  /** How records appended one by one or by `appendMany` are compressed. Default "none". */
  readonly compression?: CompressionName | undefined;
  /** Which partition a key belongs to. Default FNV-1a 32 modulo the number of partitions. */
  readonly partitioner?: Partitioner | undefined;
  /**
   * Bytes that may wait to be written, a partition; appends beyond them are refused. Default 64
   * MiB.
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * Records are deleted some time after they have become older than this, ms, whole segments at a
   * time. Default: never.
   */
  readonly retentionMs?: number | undefined;
  /**
   * A partition's oldest segments are deleted while the others hold this many bytes or more.
   * Default: never.
   */
  readonly retentionBytes?: number | undefined;
  /**
   * Bytes of the newest batches kept in memory, all partitions together, for those who read at the
   * end. Default 4 MiB.
   */
  readonly tailCacheBytes?: number | undefined;
  /** Files open at once, at most. Default 512. */
  readonly maxOpenFiles?: number | undefined;
  /** Told of what happens, for counters and timings. */
  readonly hooks?: LogStoreHooks | undefined;
  /** Where the files are. Default: the operating system's, or memory for ":memory:". */
  readonly storage?: Storage | undefined;
}

/** Options that may be altered while a store is open. */
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

/** What may be said where a store is only read. */
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

/** Positions within a segment are kept in 32 bits. */
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
  new RecordBatchBuilder({ compression }); // refuses one that nobody registered
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
