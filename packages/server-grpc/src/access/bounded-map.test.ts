import { expect, test } from "vitest";
import { BoundedMap } from "./bounded-map.js";

test("stays within its limit in bytes, and evicts the least recently used entry first", () => {
  const map = new BoundedMap<number>(10_000, 100);
  for (let i = 0; i < 1_000; i++) {
    map.set(`key ${i}`, i);
    expect(map.get("key 0")).toBe(0);
  }
  expect(map.size).toBeLessThan(50);
  expect([map.get("key 999"), map.get("key 1")]).toEqual([999, undefined]);
});

test("the length of keys counts, too", () => {
  const map = new BoundedMap<number>(10_000, 100);
  map.set("x".repeat(1_000_000), 1);
  expect(map.size).toBe(0);
  for (let i = 0; i < 100; i++) map.set(`${i}${"x".repeat(2_000)}`, i);
  expect(map.size).toBe(2);
});

test("setting a key again replaces its value, and counts once", () => {
  const map = new BoundedMap<number>(10_000, 100);
  for (let i = 0; i < 1_000; i++) map.set("one", i);
  map.set("two", 2);
  expect([map.get("one"), map.get("two"), map.size]).toEqual([999, 2, 2]);
});
