import { describe, expect, test } from "vitest";
import { fnv1a32, fnvPartitioner, keyBytes } from "./index.js";

test.each([
  ["", 0x811c9dc5],
  ["a", 0xe40c292c],
  ["foobar", 0xbf9cf968],
])("FNV-1a of %j", (key, hash) => {
  expect(fnv1a32(keyBytes(key))).toBe(hash);
});

describe("partitioner", () => {
  test.each([1, 2, 3, 7, 8, 64, 1000])("returns each of %d partitions, and no other", (count) => {
    const reached = new Set<number>();
    for (let i = 0; i < count * 20; i++) reached.add(fnvPartitioner.partition(keyBytes(`user-${i}`), count));
    expect([...reached].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  test("the partition of a key never changes", () => {
    const partitions = ["", "a", "foobar", "zoë"].map((key) => fnvPartitioner.partition(keyBytes(key), 8));
    expect(partitions).toEqual([5, 4, 0, 4]);
    expect(fnvPartitioner.name).toBe("fnv1a-32");
  });
});

test("a key has the same partition as text and as bytes", () => {
  expect([...keyBytes("zoë")]).toEqual([0x7a, 0x6f, 0xc3, 0xab]);
  const bytes = Uint8Array.of(1, 2, 3);
  expect(keyBytes(bytes)).toBe(bytes);
});
