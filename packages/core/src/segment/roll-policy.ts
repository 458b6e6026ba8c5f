/** Decides when a partition rolls to a new segment. */

/**
 * An index entry stores offsets relative to its segment in 32 bits; half of that range leaves room
 * for any group of batches.
 */
const MAX_SEGMENT_OFFSETS = 2 ** 31;

export interface RollParams {
  /** Bytes in the active segment. */
  readonly sizeBytes: number;
  /** Offsets in the active segment. */
  readonly offsets: number;
  /** Bytes about to be written, all into one segment. */
  readonly groupBytes: number;
  readonly segmentBytes: number;
}

export function shouldRoll({ sizeBytes, offsets, groupBytes, segmentBytes }: RollParams): boolean {
  if (sizeBytes === 0) return false;
  return sizeBytes + groupBytes > segmentBytes || offsets >= MAX_SEGMENT_OFFSETS;
}
