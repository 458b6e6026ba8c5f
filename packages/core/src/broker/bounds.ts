import type { PartitionBounds } from "@logstore/protocol";
import type { PartitionLog } from "../engine/partition-log.js";
import { detailOf } from "../errors/error-detail.js";

/** Returns the current bounds of a partition, with its damage if it is known to be damaged. */
export function boundsOf({ offsets, knownEnd, knownDamage: damage }: PartitionLog): PartitionBounds {
  const { logStart, highWatermark } = offsets;
  const bounds = { logStartOffset: logStart, highWatermark, logEndOffset: knownEnd };
  return damage === undefined ? bounds : { ...bounds, damage: detailOf(damage) };
}
