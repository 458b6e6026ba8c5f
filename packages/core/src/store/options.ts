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
import { checkDurability } from "../partition/partition-log.js";
import { STORED_BATCH_LIMITS } from "../segment/read-batches.js";
import type { Storage } from "../storage/storage.js";

const MIB = 1024 * 1024;

export interface LogStoreOptions {
  /** How many partitions the store has, for ever. Default: as many as it has, or 1 for a new one. */
  readonly partitions?: number | undefined;
  /** When an append is acknowledged, unless it says so itself. Default "flushed". */
  readonly durability?: Durability | undefined;
  /** A partition goes on in a new file when one would become longer than this, bytes. Default 64 MiB. */
  readonly segmentBytes?: number | undefined;
  /** Longest batch that is taken in, bytes. Default 16 MiB. */
  readonly maxBatchBytes?: number | undefined;
  /** How records appended one by one or by `appendMany` are compressed. Default "none". */
  readonly compression?: CompressionName | undefined;
  /** Which partition a key belongs to. Default FNV-1a 32 modulo the number of partitions. */
  readonly partitioner?: Partitioner | undefined;
  /** Bytes that may wait to be written, a partition; appends beyond them are refused. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Where the files are. Default: the operating system's, or memory for ":memory:". */
  readonly storage?: Storage | undefined;
}

export interface ResolvedOptions {
  readonly partitions: number | undefined;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly limits: BatchLimits;
  readonly compression: CompressionName;
  readonly partitioner: Partitioner;
  readonly maxQueuedBytes: number;
}

/** Positions within a segment are kept in 32 bits. */
const MAX_SEGMENT_BYTES = 2 ** 31;

export function resolveOptions(options: LogStoreOptions): ResolvedOptions {
  const { partitions, durability = "flushed", segmentBytes = 64 * MIB, maxQueuedBytes = 64 * MIB } = options;
  const {
    maxBatchBytes = defaultBatchLimits.maxBatchBytes,
    compression = "none",
    partitioner = fnvPartitioner,
  } = options;
  if (partitions !== undefined) checkRange("partitions", partitions, 1, 1_000_000);
  checkRange("segmentBytes", segmentBytes, MIN_BATCH_LENGTH, MAX_SEGMENT_BYTES);
  checkRange("maxBatchBytes", maxBatchBytes, MIN_BATCH_LENGTH, STORED_BATCH_LIMITS.maxBatchBytes);
  checkRange("maxQueuedBytes", maxQueuedBytes, 1, Number.MAX_SAFE_INTEGER);
  checkDurability(durability);
  new RecordBatchBuilder({ compression }); // refuses one that nobody registered
  const maxRecordsBytes = Math.max(defaultBatchLimits.maxRecordsBytes, maxBatchBytes);
  const limits = { maxBatchBytes, maxRecordsBytes };
  return { partitions, durability, segmentBytes, limits, compression, partitioner, maxQueuedBytes };
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new InvalidArgumentError(`${name} is a whole number from ${least} to ${most}, not ${value}`);
}
