/**
 * How many zeros to write behind a group that is to be synced. A sync of a file that has grown must
 * also make its new length durable, which takes about as long again; with zeros there already, the
 * next syncs need not.
 */

/** Larger groups gain nothing: their own bytes take longer than the length. */
const MAX_GROUP_BYTES = 16 * 1024;
const MAX_ZEROS_BYTES = 64 * 1024;

export interface ZerosParams {
  /** Bytes in the segment, with the group. */
  readonly sizeBytes: number;
  readonly groupBytes: number;
  readonly segmentBytes: number;
}

/** Never more than what is in the segment: many small ones must not take up a disk. */
export function zerosAhead({ sizeBytes, groupBytes, segmentBytes }: ZerosParams): number {
  if (groupBytes > MAX_GROUP_BYTES) return 0;
  return Math.max(0, Math.min(MAX_ZEROS_BYTES, sizeBytes, segmentBytes - sizeBytes));
}

/** As many zeros as are ever needed at once. */
export const ZEROS: Uint8Array = new Uint8Array(MAX_ZEROS_BYTES);
