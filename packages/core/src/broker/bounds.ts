import type { PartitionBounds } from "@logstore/protocol";
import type { ReadableLog } from "../partition/readable-log.js";

/** Where a partition begins and ends now, in the protocol's words. */
export function boundsOf({ offsets }: ReadableLog): PartitionBounds {
  const { logStart, highWatermark, logEnd } = offsets;
  return { logStartOffset: logStart, highWatermark, logEndOffset: logEnd };
}
