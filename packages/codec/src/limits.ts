/** Limits that are checked before memory of a declared size is allocated. */
export interface BatchLimits {
  /** Largest batch, header included, as stored and sent. */
  readonly maxBatchBytes: number;
  /** Largest records section after decompression. */
  readonly maxRecordsBytes: number;
}

const MIB = 1024 * 1024;

/**
 * Most records that a partition accepts in one batch. A size limit alone is not enough: any number
 * of minimal records compresses into a few bytes, and each costs its readers work.
 */
export const MAX_RECORDS_PER_BATCH = 1_000_000;
export const MAX_HEADERS_PER_RECORD = 10_000;

/** 16 MiB for a batch, 64 MiB for its records after decompression. */
export const defaultBatchLimits: BatchLimits = { maxBatchBytes: 16 * MIB, maxRecordsBytes: 64 * MIB };
