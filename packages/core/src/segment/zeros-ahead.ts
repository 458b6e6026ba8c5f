/**
 * How many zeros to preallocate after a group that will be synced. A sync of a file that has grown
 * must also make its new length durable, which about doubles its duration; if the space is filled
 * with zeros already, the next syncs avoid that.
 */

/** Larger groups gain nothing: writing their bytes takes longer than updating the length. */
const MAX_GROUP_BYTES = 16 * 1024;
const MAX_ZEROS_BYTES = 64 * 1024;

export interface ZerosParams {
  /** Bytes in the segment, including the group. */
  readonly sizeBytes: number;
  readonly groupBytes: number;
  readonly segmentBytes: number;
}

/** Never more than the size of the segment, so that many small segments do not fill a disk. */
export function zerosAhead({ sizeBytes, groupBytes, segmentBytes }: ZerosParams): number {
  if (groupBytes > MAX_GROUP_BYTES) return 0;
  return Math.max(0, Math.min(MAX_ZEROS_BYTES, sizeBytes, segmentBytes - sizeBytes));
}

/** As many zeros as are ever needed at once. */
export const ZEROS: Uint8Array = new Uint8Array(MAX_ZEROS_BYTES);
