import { expect, test } from "vitest";
import type { Owners } from "./owners-record.js";
import { decodeOwners, encodeOwners } from "./owners-record.js";
import { areSame, spread } from "./spread.js";

const namesOf = ({ journals, topics }: Owners) => [...journals, ...[...topics.values()].flat()];

const countOf = (owners: Owners, broker: string) => namesOf(owners).filter((name) => name === broker).length;

const PARTITIONS = new Map([
  ["t1", 5],
  ["t2", 1],
  ["t3", 10],
]);

test("counts differ by one at most, and only what must moves", () => {
  let owners = spread(undefined, ["a"], PARTITIONS);
  expect(countOf(owners, "a")).toBe(24);
  for (const brokers of [["a", "b"], ["a", "b", "c"], ["a", "c"], ["c"], ["c", "d", "e", "f"]]) {
    const before = namesOf(owners);
    const next = spread(owners, brokers, PARTITIONS);
    const counts = brokers.map((broker) => countOf(next, broker));
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    const orphans = before.filter((name) => !brokers.includes(name!)).length;
    const newcomers = brokers.filter((broker) => !before.includes(broker));
    const needed = newcomers.reduce((sum, broker) => sum + countOf(next, broker), 0);
    const moved = namesOf(next).filter((name, i) => name !== before[i]).length;
    expect(moved).toBe(Math.max(orphans, needed));
    owners = next;
  }
});

test("a new topic moves no partition of another one, a deleted one is forgotten", () => {
  const before = spread(undefined, ["a", "b"], PARTITIONS);
  const after = spread(before, ["a", "b"], new Map([...PARTITIONS, ["t4", 4]]));
  for (const id of PARTITIONS.keys()) expect(after.topics.get(id)).toEqual(before.topics.get(id));
  expect(areSame(before, spread(after, ["a", "b"], PARTITIONS))).toBe(true);
});

test("owners are the same after they were stored, also where there are none", () => {
  for (const brokers of [[], ["a", "b"]]) {
    const owners = spread(undefined, brokers, PARTITIONS);
    expect(areSame(owners, decodeOwners("owners", encodeOwners(owners)))).toBe(true);
  }
});
