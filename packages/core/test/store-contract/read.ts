/** The contract of a log store: reads. */
import { closeSync, openSync, readSync } from "node:fs";
import { frameBatches } from "@logstore/codec";
import { describe, expect, test } from "vitest";
import type { LogStore } from "../../src/index.js";
import { codeOf, collect, lines, range, text, values } from "../records.js";
import type { Home } from "./home.js";

export function reads({ open }: Home): void {
  describe("read", () => {
    async function filled(): Promise<LogStore> {
      const store = await open();
      await store.appendMany(
        0,
        range(5).map((value) => ({ value })),
      );
      await store.appendMany(
        0,
        range(5, "w").map((value) => ({ value })),
      );
      return store;
    }

    test("from every offset, including within batches", async () => {
      const store = await filled();
      const all = [...range(5), ...range(5, "w")].map((value, offset) => `${offset} ${value}`);
      for (let from = 0; from <= 10; from++) expect(await lines(store, 0, from)).toEqual(all.slice(from));
    });

    test("from both ends", async () => {
      const store = await filled();
      expect(await values(store, 0, "earliest")).toHaveLength(10);
      expect(await values(store, 0, "latest")).toEqual([]);
      expect(await values(store, 0, { time: 0 })).toHaveLength(10);
      expect(await values(store, 0, { time: Number.MAX_SAFE_INTEGER })).toEqual([]);
      expect(await codeOf(values(store, 0, { time: 0.5 }))).toBe("INVALID_ARGUMENT");
    });

    test.each([-1, 0.5, 11, Number.NaN, Number.POSITIVE_INFINITY])("offset %d is out of range", async (from) => {
      const store = await filled();
      const refused = { code: "OFFSET_OUT_OF_RANGE", partition: 0, expected: from > 10 ? 10 : 0 };
      await expect(values(store, 0, from)).rejects.toMatchObject(refused);
      await expect(store.tail(0, { from })[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
      await expect(store.partition(0).slice(from, 100)).rejects.toMatchObject(refused);
    });

    test("ends at the log end as of the start of the iteration", async () => {
      const store = await filled();
      const seen: number[] = [];
      for await (const { offset } of store.read(0)) {
        seen.push(offset);
        if (offset < 3) await store.append("k", "meanwhile");
      }
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    test("a stream may be iterated again, and left early", async () => {
      const store = await filled();
      const stream = store.read(0, { from: 7 });
      for await (const { offset } of stream) if (offset === 8) break;
      expect((await collect(stream)).map(({ offset }) => offset)).toEqual([7, 8, 9]);
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      expect(await iterator.return?.()).toEqual({ value: undefined, done: true });
      expect(await iterator.next()).toEqual({ value: undefined, done: true });
    });

    test("concurrent calls of next() lose nothing and keep the order", async () => {
      const store = await filled();
      const iterator = store.read(0)[Symbol.asyncIterator]();
      const results = await Promise.all(Array.from({ length: 12 }, () => iterator.next()));
      expect(results.map(({ value }) => value?.offset)).toEqual([...Array(10).keys(), undefined, undefined]);
    });

    test("batches are whole, and the first may begin earlier", async () => {
      const store = await filled();
      const batches = await Array.fromAsync(store.read(0, { from: 7 }).batches());
      expect(batches.map(({ baseOffset, recordCount }) => [baseOffset, recordCount])).toEqual([[5, 5]]);
      expect(await Array.fromAsync(store.read(0, { from: "latest" }).batches())).toEqual([]);
    });

    test("chunks begin at the requested offset and hold at most 1,000 records", async () => {
      const store = await filled();
      await store.appendMany(
        0,
        range(2_500, "x").map((value) => ({ value })),
      );
      const chunks = await Array.fromAsync(store.read(0, { from: 7 }).chunks());
      expect(chunks.map(([first, ...others]) => [first!.offset, others.length + 1])).toEqual([
        [7, 1_000],
        [1_007, 1_000],
        [2_007, 503],
      ]);
      expect(chunks.flat()).toEqual(await collect(store.read(0, { from: 7 })));
      expect(chunks.flat().map(({ value }) => text(value))).toEqual([...range(5, "w").slice(2), ...range(2_500, "x")]);
      expect(await Array.fromAsync(store.read(0, { from: "latest" }).chunks())).toEqual([]);
    });

    test("a chunk has the records of batches that were read together, unless these are long", async () => {
      const store = await open({ compression: "zstd" });
      for (const value of range(50)) await store.append(null, value);
      for (const value of range(4)) await store.append(null, value.repeat(200_000));
      const chunks = await Array.fromAsync(store.read(0).chunks());
      expect(chunks.map((chunk) => chunk.length)).toEqual([52, 2]);
      expect(chunks.flat().map(({ offset }) => offset)).toEqual([...Array(54).keys()]);
    });

    test("a loop over chunks may be left early", async () => {
      const store = await filled();
      const stream = store.read(0);
      for await (const chunk of stream.chunks()) {
        expect(chunk[0]!.offset).toBe(0);
        break;
      }
      expect((await Array.fromAsync(stream.chunks())).flat()).toHaveLength(10);
    });

    test.each(["batches", "chunks"] as const)("%s are a generator, which ends when told", async (way) => {
      const store = await filled();
      const failing = store.read(0)[way]();
      await failing.next();
      await expect(failing.throw(new Error("enough"))).rejects.toThrow("enough");
      expect(await failing.next()).toEqual({ value: undefined, done: true });
      const disposed = store.tail(0)[way]();
      const pending = disposed.next();
      await disposed[Symbol.asyncDispose]();
      expect(await pending).toEqual({ value: undefined, done: true });
    });

    test("an empty partition", async () => {
      const store = await open({ partitions: 2 });
      await store.append("k", "v", { partition: 0 });
      expect(await values(store, 1)).toEqual([]);
      expect(await values(store, 1, { time: 0 })).toEqual([]);
      expect(await store.partition(1).slice(0, 1000)).toBeUndefined();
    });

    test("slice returns the position of whole batches", async () => {
      const store = await filled();
      expect(await store.partition(0).slice(10, 1000)).toBeUndefined();
      const [whole, one, second] = [
        await store.partition(0).slice(0, 100_000),
        await store.partition(0).slice(0, 1),
        await store.partition(0).slice(6, 1),
      ];
      expect(whole).toMatchObject({ position: 0, nextOffset: 10, length: one!.length + second!.length });
      expect(one).toMatchObject({ position: 0, nextOffset: 5 });
      expect(second).toMatchObject({ position: one!.length, nextOffset: 10 });
      if (whole!.fd === undefined) return;
      const bytes = Buffer.alloc(second!.length);
      readSync(second!.fd!, bytes, 0, bytes.length, second!.position);
      const [batch, ...others] = [...frameBatches(bytes)];
      expect(others).toEqual([]);
      expect([...batch!.verify()].map(({ value }) => text(value))).toEqual(range(5, "w"));
      const closed = openSync(new URL(import.meta.url), "r");
      closeSync(closed);
      expect(whole!.fd).not.toBe(closed);
    });
  });
}
