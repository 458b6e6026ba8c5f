/** Caps that are checked before anything of the declared size is allocated. */
export interface BatchLimits {
  /** Largest batch as it lies on disk and travels, header included. */
  readonly maxBatchBytes: number;
  /** Largest records section after decompression. */
  readonly maxRecordsBytes: number;
}

const MIB = 1024 * 1024;

/**
 * What a partition accepts of a batch, beside its bytes. Compressed, any number of the smallest
 * records fits into a few bytes, and whoever reads them works for each.
 */
export const MAX_RECORDS_PER_BATCH = 1_000_000;
export const MAX_HEADERS_PER_RECORD = 10_000;

/** 16 MiB for a batch, 64 MiB for its records unpacked. */
export const defaultBatchLimits: BatchLimits = { maxBatchBytes: 16 * MIB, maxRecordsBytes: 64 * MIB };
