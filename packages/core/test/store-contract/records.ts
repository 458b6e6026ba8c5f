/** The contract of a log store: records that are appended and read. */
import { describe, expect, test } from "vitest";
import { collect, text, values } from "../records.js";
import type { Home } from "./home.js";

export function records({ open }: Home): void {
  describe("a record that is read equals the one appended", () => {
    test("key, value, timestamp, headers", async () => {
      const store = await open();
      const headers = [
        { name: "trace", value: "a1" },
        { name: "trace", value: Uint8Array.of(0, 255) },
        { name: "", value: "" },
      ];
      await store.append("10084", "Hello World!", { timestamp: 1_700_000_000_123, headers });
      await store.appendMany(0, [{ key: Uint8Array.of(1, 2), value: Uint8Array.of(0, 9), timestamp: -5, headers }]);
      const [first, second] = await collect(store.read(0));
      expect([first!.offset, text(first!.key), text(first!.value)]).toEqual([0, "10084", "Hello World!"]);
      expect(first!.timestamp).toBe(1_700_000_000_123);
      expect([second!.offset, [...second!.key!], [...second!.value]]).toEqual([1, [1, 2], [0, 9]]);
      expect(second!.timestamp).toBe(-5);
      for (const record of [first!, second!]) {
        expect(record.headers.map(({ name, value }) => [name, [...value]])).toEqual([
          ["trace", [97, 49]],
          ["trace", [0, 255]],
          ["", []],
        ]);
      }
    });

    test("an empty key is not a null key, and a value may be empty", async () => {
      const store = await open();
      await store.append("", "");
      await store.append(null, "");
      await store.appendMany(0, [{ key: "", value: "" }, { key: null, value: "" }, { value: "" }]);
      const keys = (await collect(store.read(0))).map(({ key }) => text(key));
      expect(keys).toEqual(["", null, "", null, null]);
      expect(await values(store)).toEqual(["", "", "", "", ""]);
    });

    test("strings are UTF-8", async () => {
      const store = await open();
      await store.append("zoë", "日本 🎉");
      const [record] = await collect(store.read(0));
      expect(Buffer.from(record!.key!)).toEqual(Buffer.from("zoë", "utf8"));
      expect(Buffer.from(record!.value)).toEqual(Buffer.from("日本 🎉", "utf8"));
    });

    test("large records between small ones", async () => {
      const store = await open();
      const large = Buffer.alloc(3_000_000, "abcdefg");
      await Promise.all([store.append("k", "before"), store.append("k", large), store.append("k", "after")]);
      await store.appendMany(0, [{ value: "x" }, { value: large }, { value: large }, { value: "y" }]);
      const read = await collect(store.read(0));
      expect(read.map(({ value }) => value.length)).toEqual([6, 3_000_000, 5, 1, 3_000_000, 3_000_000, 1]);
      expect(read.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      for (const at of [1, 4, 5]) expect(large.equals(read[at]!.value)).toBe(true);
    });

    test.each(["none", "gzip", "zstd"] as const)("compression %s", async (compression) => {
      const store = await open({ compression });
      const long = "the same again and again, ".repeat(400);
      await store.append("k", long);
      await store.appendMany(0, [{ value: long }, { value: "short" }, { value: "" }]);
      expect(await values(store)).toEqual([long, long, "short", ""]);
      for await (const batch of store.read(0).batches()) expect(batch.compression).toBe(compression);
    });
  });
}
