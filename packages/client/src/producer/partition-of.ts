import { type Bytes, fnvPartitioner, keyBytes } from "@logstore/codec";

const encoder = new TextEncoder();
/** Where short keys are encoded to be hashed: a buffer a record would cost more than all else. */
const scratch = new Uint8Array(1024);

/** The partition of a key. */
export function partitionOf(key: Bytes, partitionCount: number): number {
  if (typeof key !== "string" || key.length > scratch.length / 3) {
    return fnvPartitioner.partition(keyBytes(key), partitionCount);
  }
  const { written } = encoder.encodeInto(key, scratch);
  return fnvPartitioner.partition(scratch.subarray(0, written), partitionCount);
}
