import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstSeed } from "../../../test/random.js";
import { toEnd } from "../time/slices.js";
import type { AssignorInput, Target } from "./assignor.js";
import { assignors } from "./assignors.js";

const sticky = (input: AssignorInput) => toEnd(assignors.sticky(input));
const range = (input: AssignorInput) => toEnd(assignors.range(input));
const roundRobin = (input: AssignorInput) => toEnd(assignors["round-robin"](input));

interface Case {
  readonly topics: Readonly<Record<string, number>>;
  readonly members: Readonly<Record<string, readonly string[]>>;
}

function inputOf({ topics, members }: Case, before?: Target): AssignorInput {
  return {
    topics: new Map(Object.entries(topics)),
    members: Object.entries(members).map(([memberId, wanted]) => ({
      memberId,
      rank: memberId,
      topics: new Set(wanted),
    })),
    current: (topic, partition) => before?.get(topic)?.[partition],
  };
}

function sizes(target: Target, { members }: Case): number[] {
  const owners = [...target.values()].flat();
  return Object.keys(members).map((memberId) => owners.filter((owner) => owner === memberId).length);
}

function moved(before: Target, after: Target): number {
  let count = 0;
  for (const [topic, owners] of after) {
    for (const [i, owner] of owners.entries())
      if (before.get(topic)?.[i] !== undefined && before.get(topic)![i] !== owner) count++;
  }
  return count;
}

const topicNames = ["a", "b", "c", "d"];
const topics = fc.dictionary(fc.constantFrom(...topicNames), fc.integer({ min: 1, max: 12 }), {
  minKeys: 1,
  noNullPrototype: true,
});
const memberId = fc.stringMatching(/^[a-z0-9]{1,6}$/).filter((id) => id !== "__proto__");

/** All members have the same subscription. */
const alike = fc.tuple(topics, fc.uniqueArray(memberId, { minLength: 1, maxLength: 9 })).map(([topics, ids]): Case => {
  return { topics, members: Object.fromEntries(ids.map((id) => [id, Object.keys(topics)])) };
});

/** Members have different subscriptions. */
const various = fc
  .tuple(
    topics,
    fc.uniqueArray(fc.tuple(memberId, fc.subarray(topicNames)), { minLength: 1, maxLength: 9, selector: ([id]) => id }),
  )
  .map(([topics, members]): Case => {
    return {
      topics,
      members: Object.fromEntries(members.map(([id, wanted]) => [id, wanted.filter((topic) => topic in topics)])),
    };
  });

const options = { seed: firstSeed, numRuns: 300 };

describe.each(Object.entries(assignors))("%s", (_, assignor) => {
  const assign = (input: AssignorInput) => toEnd(assignor(input));

  test("assigns every partition to a subscribed member, or to none if there is none", () => {
    fc.assert(
      fc.property(various, (given) => {
        const target = assign(inputOf(given));
        expect([...target.keys()].sort()).toEqual(Object.keys(given.topics).sort());
        for (const [topic, owners] of target) {
          expect(owners).toHaveLength(given.topics[topic]!);
          const wanting = Object.keys(given.members).filter((id) => given.members[id]!.includes(topic));
          for (const owner of owners) {
            if (wanting.length === 0) expect(owner).toBeUndefined();
            else expect(wanting).toContain(owner);
          }
        }
      }),
      options,
    );
  });

  test("gives the same result for any order of its input", () => {
    fc.assert(
      fc.property(various, various, (given, other) => {
        const before = assign(inputOf(other));
        const reversed = {
          topics: Object.fromEntries(Object.entries(given.topics).reverse()),
          members: Object.fromEntries(Object.entries(given.members).reverse()),
        };
        const [one, same] = [assign(inputOf(given, before)), assign(inputOf(reversed, before))];
        expect(new Map([...same].sort())).toEqual(new Map([...one].sort()));
      }),
      options,
    );
  });
});

describe("sticky", () => {
  test("the numbers of partitions of members with the same subscription differ by one at most", () => {
    fc.assert(
      fc.property(alike, various, (given, other) => {
        const counts = sizes(sticky(inputOf(given, sticky(inputOf(other)))), given);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
      options,
    );
  });

  test("moves nothing if the assignment is even already", () => {
    fc.assert(
      fc.property(various, (given) => {
        const before = sticky(inputOf(given));
        expect(moved(before, sticky(inputOf(given, before)))).toBe(0);
      }),
      options,
    );
  });

  test("moves only what has to move", () => {
    fc.assert(
      fc.property(alike, memberId, fc.boolean(), (given, id, joins) => {
        const before = sticky(inputOf(given));
        const { [id]: _, ...others } = given.members;
        const after: Case = {
          ...given,
          members: joins ? { ...given.members, [id]: Object.keys(given.topics) } : others,
        };
        const target = sticky(inputOf(after, before));
        // What members above their share give up, and nothing else: the partitions of a member that
        // left are free.
        const [count, total] = [Object.keys(after.members).length, [...target.values()].flat().length];
        const owners = [...before.values()].flat();
        const had = Object.keys(after.members).map((each) => owners.filter((owner) => owner === each).length);
        const [least, extra] = [Math.floor(total / count), total % count];
        const shares = had.sort((a, b) => b - a).map((size, i) => size - Math.min(size, least + (i < extra ? 1 : 0)));
        const left = owners.filter((owner) => owner !== undefined && !(owner in after.members)).length;
        if (count > 0) expect(moved(before, target) - left).toBe(shares.reduce((sum, size) => sum + size, 0));
      }),
      options,
    );
  });

  test("evens out through a third member", () => {
    const given = { topics: { a: 3, b: 1 }, members: { one: ["a"], two: ["a", "b"], three: ["b"] } };
    const before: Target = new Map([
      ["a", ["one", "one", "two"]],
      ["b", ["two"]],
    ]);
    // "two" has as many as "one", and passes to it what "three" can replace.
    expect(sizes(sticky(inputOf(given, before)), given)).toEqual([2, 1, 1]);
    const more = { topics: { a: 5, b: 2 }, members: { one: ["a"], two: ["a", "b"], three: ["b"] } };
    const skewed: Target = new Map([
      ["a", ["one", "one", "one", "two", "one"]],
      ["b", ["two", "two"]],
    ]);
    expect(sizes(sticky(inputOf(more, skewed)), more)).toEqual([3, 2, 2]);
  });

  test("the assignment is as even as possible, whatever the subscriptions", () => {
    fc.assert(
      fc.property(various, various, (given, other) => {
        const target = sticky(inputOf(given, sticky(inputOf(other))));
        const ids = Object.keys(given.members);
        const counts = new Map(ids.map((id, i) => [id, sizes(target, given)[i]!]));
        // Any member reachable from another by passing on partitions has at most one less.
        for (const id of ids) {
          const reached = new Set([id]);
          for (const each of reached) {
            for (const [topic, owners] of target) {
              if (!owners.includes(each)) continue;
              for (const next of ids) if (given.members[next]!.includes(topic)) reached.add(next);
            }
          }
          for (const each of reached) expect(counts.get(id)! - counts.get(each)!).toBeLessThanOrEqual(1);
        }
      }),
      options,
    );
  });
});

test("range: adjacent partitions go together, and the same ones in every topic", () => {
  const given = { topics: { a: 5, b: 5 }, members: { x: ["a", "b"], y: ["a", "b"] } };
  const owners = ["x", "x", "x", "y", "y"];
  expect(range(inputOf(given))).toEqual(
    new Map([
      ["a", owners],
      ["b", owners],
    ]),
  );
});

test("round-robin: one after another, across all topics", () => {
  const given = { topics: { a: 3, b: 3 }, members: { x: ["a", "b"], y: ["b"], z: ["a", "b"] } };
  expect(roundRobin(inputOf(given))).toEqual(
    new Map([
      ["a", ["x", "z", "x"]],
      ["b", ["y", "z", "x"]],
    ]),
  );
});
