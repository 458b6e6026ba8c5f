/** The contract of a log store: appends. */
import { describe, expect, test } from "vitest";
import { codeOf, collect, lines, range, values } from "../records.js";
import type { Home } from "./home.js";

export function appends({ open }: Home): void {
  describe("append", () => {
    test("the ack has partition, offset and durability", async () => {
      const store = await open({ partitions: 2 });
      expect(await store.append("k", "v", { partition: 1 })).toEqual({
        partition: 1,
        offset: 0,
        nextOffset: 1,
        durability: "flushed",
      });
      const written = await store.append("k", "v", { partition: 1, durability: "written" });
      expect(written).toEqual({ partition: 1, offset: 1, nextOffset: 2, durability: "written" });
      expect(await store.appendMany(1, [{ value: "a" }, { value: "b" }], { durability: "written" })).toEqual({
        partition: 1,
        offset: 2,
        nextOffset: 4,
        durability: "written",
      });
    });

    test("the store's durability applies if an append specifies none", async () => {
      const store = await open({ durability: "written" });
      expect((await store.append("k", "v")).durability).toBe("written");
      expect((await store.appendMany(0, [{ value: "v" }])).durability).toBe("written");
      expect((await store.append("k", "v", { durability: "flushed" })).durability).toBe("flushed");
    });

    test("appends that share a write get at least the durability they requested", async () => {
      const store = await open();
      const asked = ["written", "flushed", "written"] as const;
      const acks = await Promise.all([
        ...asked.map((durability) => store.append("k", "v", { durability })),
        ...asked.map((durability) => store.appendMany(0, [{ value: "v" }], { durability })),
      ]);
      expect(acks.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5]);
      for (const [i, { durability }] of acks.entries())
        if (asked[i % 3] === "flushed") expect(durability).toBe("flushed");
    });

    test("a misspelt durability is refused, not taken for the weaker one", async () => {
      const store = await open();
      const durability = "flush" as "flushed";
      expect(await codeOf(store.append("k", "v", { durability }))).toBe("INVALID_ARGUMENT");
      expect(await codeOf(store.appendMany(0, [{ value: "v" }], { durability }))).toBe("INVALID_ARGUMENT");
      expect(store.partition(0).endOffset).toBe(0);
    });

    test("appends take effect in the order of the calls", async () => {
      const store = await open();
      const acks = await Promise.all([
        store.append("k", "0"),
        store.append("k", "1"),
        store.appendMany(0, [{ value: "2" }, { value: "3" }]),
        store.append("k", "4"),
        store.appendMany(0, [{ value: "5" }]),
        store.append("k", "6", { expectedOffset: 6 }),
        store.append("k", "7"),
      ]);
      expect(acks.map(({ offset }) => offset)).toEqual([0, 1, 2, 4, 5, 6, 7]);
      expect(await values(store)).toEqual(["0", "1", "2", "3", "4", "5", "6", "7"]);
    });

    test("of several appends with the same expected offset exactly one succeeds, without a gap", async () => {
      const store = await open();
      await store.append("k", "first");
      const tries = await Promise.allSettled(range(5).map((value) => store.append("k", value, { expectedOffset: 1 })));
      expect(tries.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "rejected", "rejected"]);
      for (const result of tries.slice(1)) {
        expect((result as PromiseRejectedResult).reason).toMatchObject({
          code: "WRONG_EXPECTED_OFFSET",
          partition: 0,
          expected: 1,
          actual: 2,
        });
      }
      expect((await store.append("k", "next")).offset).toBe(2);
      expect((await store.appendMany(0, [{ value: "x" }], { expectedOffset: 3 })).offset).toBe(3);
      expect(await codeOf(store.appendMany(0, [{ value: "y" }], { expectedOffset: 3 }))).toBe("WRONG_EXPECTED_OFFSET");
      expect(await codeOf(store.appendMany(0, [{ value: "y" }], { expectedOffset: 5 }))).toBe("WRONG_EXPECTED_OFFSET");
      expect(await lines(store)).toEqual(["0 first", "1 v0", "2 next", "3 x"]);
    });

    test.each([-1, 0.5, Number.NaN])("expected offset %d is invalid", async (expectedOffset) => {
      const store = await open();
      expect(await codeOf(store.append("k", "v", { expectedOffset }))).toBe("INVALID_ARGUMENT");
    });

    test("an append without records is refused", async () => {
      const store = await open();
      expect(await codeOf(store.appendMany(0, []))).toBe("INVALID_ARGUMENT");
      expect(store.partition(0).endOffset).toBe(0);
    });

    test("a record that is too large is refused alone: its neighbours are appended", async () => {
      const store = await open({ maxBatchBytes: 1000 });
      const tries = await Promise.allSettled(
        ["a", "x".repeat(1000), "b"].map((value) => store.append("k", value, { timestamp: 0 })),
      );
      expect(tries.map((result) => (result.status === "fulfilled" ? result.value.offset : result.reason.code))).toEqual(
        [0, "RECORD_TOO_LARGE", 1],
      );
      const many = [{ value: "c" }, { value: "x".repeat(1000) }];
      expect(await codeOf(store.appendMany(0, many))).toBe("RECORD_TOO_LARGE");
      expect(await values(store)).toEqual(["a", "b"]);
    });

    test("many records become several batches within the limit, with a single promise", async () => {
      const store = await open({ maxBatchBytes: 1000 });
      const ack = await store.appendMany(
        0,
        range(200).map((value) => ({ value, timestamp: 0 })),
      );
      expect(ack).toMatchObject({ offset: 0, nextOffset: 200 });
      const lengths = (await Array.fromAsync(store.read(0).batches())).map(({ byteLength }) => byteLength);
      expect(lengths.length).toBeGreaterThan(1);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(1000);
      expect(await values(store)).toEqual(range(200));
    });

    test("the queue is bounded: BufferFullError, and room again once it is written", async () => {
      const store = await open({ maxQueuedBytes: 1000 });
      const tries = await Promise.allSettled(range(30).map(() => store.append("k", "x".repeat(100))));
      const offsets = tries.filter((result) => result.status === "fulfilled").map(({ value }) => value.offset);
      const refused = tries.filter((result) => result.status === "rejected").map(({ reason }) => reason);
      expect(offsets).toEqual(offsets.map((_, i) => i));
      expect(offsets.length).toBeGreaterThanOrEqual(8);
      expect(offsets.length).toBeLessThanOrEqual(11);
      expect(refused.length).toBe(30 - offsets.length);
      for (const error of refused) expect(error).toMatchObject({ code: "BUFFER_FULL", expected: 1000 });
      const [many, more] = await Promise.allSettled([
        store.appendMany(0, [{ value: "y".repeat(2000) }]),
        store.appendMany(0, [{ value: "z" }]),
      ]);
      expect(many).toMatchObject({ status: "fulfilled", value: { offset: offsets.length } });
      expect(more).toMatchObject({ status: "rejected", reason: { code: "BUFFER_FULL" } });
      expect((await store.append("k", "again")).offset).toBe(offsets.length + 1);
      expect((await collect(store.read(0))).length).toBe(offsets.length + 2);
    });

    test("a value that is not bytes is refused and affects no other record", async () => {
      const store = await open();
      const bad = [5, undefined, null, { length: 3 }, [1, 2]] as unknown as string[];
      const tries = await Promise.allSettled([
        store.append("k", "good 0"),
        ...bad.map((value) => store.append("k", value)),
        ...bad.slice(0, 2).map((key) => store.append(key === undefined ? (7 as unknown as string) : key, "v")),
        ...bad.map((value) => store.appendMany(0, [{ value }])),
        store.append("k", "good 1"),
      ]);
      expect(tries.map(({ status }) => status === "fulfilled").filter(Boolean)).toHaveLength(2);
      expect(await lines(store)).toEqual(["0 good 0", "1 good 1"]);
    });
  });
}
