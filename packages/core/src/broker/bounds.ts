import type { PartitionBounds } from "@logstore/protocol";
import type { PartitionLog } from "../engine/partition-log.js";
import { detailOf } from "../errors/error-detail.js";

/**
 * Where a partition begins and ends now, in the protocol's words; and why that is not all of it, if
 * so.
 */
export function boundsOf({ offsets, knownEnd, knownDamage: damage }: PartitionLog): PartitionBounds {
  const { logStart, highWatermark } = offsets;
  const bounds = { logStartOffset: logStart, highWatermark, logEndOffset: knownEnd };
  return damage === undefined ? bounds : { ...bounds, damage: detailOf(damage) };
}
