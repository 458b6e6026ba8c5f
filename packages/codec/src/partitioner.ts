/**
 * Maps keys to partitions. The mapping of a store never changes, because order is kept per key; and
 * producers and the engine must use the same one.
 */
import type { Bytes } from "./record.js";

/**
 * Maps a key to a partition. Must be a pure function: the same key and partition count always give
 * the same partition.
 */
export interface Partitioner {
  /** Stored with the store, which refuses to open with a partitioner of another name. */
  readonly name: string;
  /** Returns an integer from 0 to `partitionCount - 1`. */
  partition(key: Uint8Array, partitionCount: number): number;
}

const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a, 32 bits (draft-eastlake-fnv). */
export function fnv1a32(bytes: Uint8Array): number {
  let hash = FNV_OFFSET_BASIS;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return hash >>> 0;
}

/** FNV-1a 32 modulo the number of partitions. */
export const fnvPartitioner: Partitioner = {
  name: "fnv1a-32",
  partition: (key, partitionCount) => fnv1a32(key) % partitionCount,
};

const encoder = new TextEncoder();

/** Returns the bytes of a key as they are stored and hashed. */
export function keyBytes(key: Bytes): Uint8Array {
  return typeof key === "string" ? encoder.encode(key) : key;
}
