import type { PartitionBounds } from "@logstore/protocol";
import { detailOf } from "../errors/error-detail.js";
import type { ReadableLog } from "../partition/read/readable-log.js";

/**
 * Where a partition begins and ends now, in the protocol's words; and why that is not all of it, if
 * so.
 */
export function boundsOf({ offsets, knownEnd, knownDamage: damage }: ReadableLog): PartitionBounds {
  const { logStart, highWatermark } = offsets;
  const bounds = { logStartOffset: logStart, highWatermark, logEndOffset: knownEnd };
  return damage === undefined ? bounds : { ...bounds, damage: detailOf(damage) };
}
