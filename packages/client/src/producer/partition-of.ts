import { type Bytes, fnvPartitioner, keyBytes } from "@logstore/codec";

const encoder = new TextEncoder();
/** Scratch buffer for hashing short keys: a buffer for each record would dominate the cost. */
const scratch = new Uint8Array(1024);

/** Returns the partition of a key. */
export function partitionOf(key: Bytes, partitionCount: number): number {
  if (partitionCount === 1) return 0;
  if (typeof key !== "string" || key.length > scratch.length / 3) {
    return fnvPartitioner.partition(keyBytes(key), partitionCount);
  }
  const { written } = encoder.encodeInto(key, scratch);
  return fnvPartitioner.partition(scratch.subarray(0, written), partitionCount);
}
