/** The contract of a log store: the choice of partitions. */
import { describe, expect, test } from "vitest";
import { codeOf, range, values } from "../records.js";
import type { Home } from "./home.js";

export function partitions({ open }: Home): void {
  describe("partitions", () => {
    test("a key goes to the partition of its FNV-1a hash, including the last one", async () => {
      const store = await open({ partitions: 3 });
      // Reference values of draft-eastlake-fnv, modulo 3.
      const known = { "": 0x811c9dc5 % 3, a: 0xe40c292c % 3, foobar: 0xbf9cf968 % 3 };
      for (const [key, partition] of Object.entries(known)) {
        expect((await store.append(key, "v")).partition).toBe(partition);
        expect((await store.append(Buffer.from(key), "v")).partition).toBe(partition);
      }
      const reached = await Promise.all(range(50).map(async (key) => (await store.append(key, "v")).partition));
      expect(new Set(reached)).toEqual(new Set([0, 1, 2]));
    });

    test("one partition takes every key", async () => {
      const store = await open();
      expect(store.partitionCount).toBe(1);
      for (const key of [null, "", "a", "b"]) expect((await store.append(key, "v")).partition).toBe(0);
    });

    test("records without a key are spread evenly", async () => {
      const store = await open({ partitions: 4 });
      const acks = await Promise.all(range(40).map((value) => store.append(null, value)));
      const counts = [0, 0, 0, 0];
      for (const { partition } of acks) counts[partition]!++;
      expect(counts).toEqual([10, 10, 10, 10]);
    });

    test("a custom partitioner decides, and may only return existing partitions", async () => {
      let chosen = 2;
      const partitioner = { name: "chosen", partition: () => chosen };
      const store = await open({ partitions: 3, partitioner });
      expect((await store.append("k", "v")).partition).toBe(2);
      expect(store.partitioner).toBe("chosen");
      for (chosen of [3, -1, 0.5, Number.NaN]) expect(await codeOf(store.append("k", "v"))).toBe("INVALID_ARGUMENT");
      expect(await values(store, 2)).toEqual(["v"]);
    });

    test("an explicit partition is used, whatever the key", async () => {
      const store = await open({ partitions: 3 });
      for (const partition of [0, 1, 2])
        expect((await store.append("k", "v", { partition })).partition).toBe(partition);
    });

    test("a partition has its index and its offsets", async () => {
      const store = await open({ partitions: 2 });
      expect(store.partition(1)).toMatchObject({ index: 1, startOffset: 0, endOffset: 0 });
      await store.appendMany(1, [{ value: "a" }, { value: "b" }]);
      expect(store.partition(1)).toMatchObject({ index: 1, startOffset: 0, endOffset: 2 });
    });

    test.each([-1, 2, 0.5, Number.NaN])("partition %d does not exist", async (partition) => {
      const store = await open({ partitions: 2 });
      expect(await codeOf(store.append("k", "v", { partition }))).toBe("UNKNOWN_PARTITION");
      expect(await codeOf(store.appendMany(partition, [{ value: "v" }]))).toBe("UNKNOWN_PARTITION");
      const calls = [() => store.read(partition), () => store.tail(partition), () => store.partition(partition)];
      for (const call of calls) {
        expect(call).toThrow(expect.objectContaining({ code: "UNKNOWN_PARTITION", partition, expected: 2 }));
      }
    });
  });
}
