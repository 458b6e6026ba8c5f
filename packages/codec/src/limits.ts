/** Caps that are checked before anything of the declared size is allocated. */
export interface BatchLimits {
  /** Largest batch as it lies on disk and travels, header included. */
  readonly maxBatchBytes: number;
  /** Largest records section after decompression. */
  readonly maxRecordsBytes: number;
}

const MIB = 1024 * 1024;

export const defaultBatchLimits: BatchLimits = { maxBatchBytes: 16 * MIB, maxRecordsBytes: 64 * MIB };
