/** The contract of a log store on any storage. */
import { closeSync, openSync, readSync } from "node:fs";
import { frameBatches } from "@logstore/codec";
import { describe, expect, onTestFinished, test } from "vitest";
import { LogStore, type LogStoreOptions } from "../src/index.js";
import { codeOf, collect, lines, range, text, values } from "./records.js";

/** @param home returns a path at which no store exists */
export function storeContract(name: string, home: () => string): void {
  async function open(options: LogStoreOptions = {}): Promise<LogStore> {
    const store = await LogStore.open(home(), options);
    onTestFinished(() => store.close());
    return store;
  }

  describe(`a log store in ${name}`, () => {
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
        const tries = await Promise.allSettled(
          range(5).map((value) => store.append("k", value, { expectedOffset: 1 })),
        );
        expect(tries.map(({ status }) => status)).toEqual([
          "fulfilled",
          "rejected",
          "rejected",
          "rejected",
          "rejected",
        ]);
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
        expect(await codeOf(store.appendMany(0, [{ value: "y" }], { expectedOffset: 3 }))).toBe(
          "WRONG_EXPECTED_OFFSET",
        );
        expect(await codeOf(store.appendMany(0, [{ value: "y" }], { expectedOffset: 5 }))).toBe(
          "WRONG_EXPECTED_OFFSET",
        );
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
        expect(
          tries.map((result) => (result.status === "fulfilled" ? result.value.offset : result.reason.code)),
        ).toEqual([0, "RECORD_TOO_LARGE", 1]);
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

    describe("tail", () => {
      test("continues with new records, by default from the end", async () => {
        const store = await open();
        await store.append("k", "before");
        const iterator = store.tail(0)[Symbol.asyncIterator]();
        const next = iterator.next();
        await store.append("k", "after");
        expect(text((await next).value!.value)).toBe("after");
        const later = iterator.next();
        await store.appendMany(0, [{ value: "x" }, { value: "y" }]);
        expect(text((await later).value!.value)).toBe("x");
        expect(text((await iterator.next()).value!.value)).toBe("y");
        await iterator.return?.();
      });

      test("catches up first if it starts earlier", async () => {
        const store = await open();
        await store.appendMany(0, [{ value: "a" }, { value: "b" }]);
        const seen: string[] = [];
        for await (const { offset, value } of store.tail(0, { from: "earliest" })) {
          seen.push(text(value)!);
          if (offset === 1) await store.append("k", "c");
          if (offset === 2) break;
        }
        expect(seen).toEqual(["a", "b", "c"]);
      });

      test("many tails of one partition all see everything", async () => {
        const store = await open();
        const tails = range(20).map(async () => {
          const seen: string[] = [];
          for await (const { value } of store.tail(0, { from: 0 })) {
            seen.push(text(value)!);
            if (seen.length === 10) return seen;
          }
          return seen;
        });
        for (const value of range(10)) await store.append("k", value);
        for (const seen of await Promise.all(tails)) expect(seen).toEqual(range(10));
      });

      test("a signal ends a wait with its reason, and an aborted one ends it at once", async () => {
        const store = await open();
        const stop = new AbortController();
        const next = store.tail(0, { signal: stop.signal })[Symbol.asyncIterator]().next();
        const reason = new Error("enough");
        stop.abort(reason);
        await expect(next).rejects.toBe(reason);
        const already = store.tail(0, { signal: stop.signal })[Symbol.asyncIterator]().next();
        await expect(already).rejects.toBe(reason);
        expect((await store.append("k", "v")).offset).toBe(0);
      });

      test("returning from a waiting tail ends it at once", async () => {
        const store = await open();
        const iterator = store.tail(0)[Symbol.asyncIterator]();
        const next = iterator.next();
        await store.append("k", "v");
        await next;
        const waiting = iterator.next();
        await iterator.return?.();
        expect((await waiting).done).toBe(true);
        const batches = store.tail(0).batches();
        const batch = batches.next();
        await batches.return();
        expect((await batch).done).toBe(true);
      });

      test("closing the store ends it with an error, because more records may follow after a reopen", async () => {
        const store = await open();
        const next = store.tail(0)[Symbol.asyncIterator]().next();
        await new Promise((resolve) => setImmediate(resolve));
        await Promise.all([store.close(), expect(next).rejects.toMatchObject({ code: "CLOSED", partition: 0 })]);
      });
    });

    describe("close", () => {
      test("completes pending appends, then refuses new ones", async () => {
        const store = await open({ durability: "written" });
        const appends = range(10).map((value) => store.append("k", value));
        await store.close();
        expect((await Promise.all(appends)).map(({ offset }) => offset)).toEqual([...Array(10).keys()]);
        expect(await codeOf(store.append("k", "late"))).toBe("CLOSED");
        expect(await codeOf(store.appendMany(0, [{ value: "late" }]))).toBe("CLOSED");
        expect(await codeOf(values(store))).toBe("CLOSED");
        expect(await codeOf(store.partition(0).slice(0, 100))).toBe("CLOSED");
      });

      test("closing twice has no further effect, and the second call waits for the first", async () => {
        const store = await open({ durability: "written" });
        const append = store.append("k", "v");
        let done = false;
        void append.then(() => {
          done = true;
        });
        void store.close();
        await store.close();
        expect(done).toBe(true);
        await store.close();
      });

      test("`await using` closes", async () => {
        let left: LogStore;
        {
          await using store = await LogStore.open(home());
          await store.append("k", "v");
          left = store;
        }
        expect(await codeOf(left.append("k", "v"))).toBe("CLOSED");
      });
    });

    test.each([
      { partitions: 0 },
      { partitions: 1.5 },
      { partitions: 2_000_000 },
      { segmentBytes: 10 },
      { segmentBytes: 2 ** 32 },
      { maxBatchBytes: 10 },
      { maxBatchBytes: Number.NaN },
      { maxQueuedBytes: 0 },
      { durability: "flush" as "flushed" },
    ])("options %o are refused", async (options) => {
      expect(await codeOf(LogStore.open(home(), options))).toBe("INVALID_ARGUMENT");
    });

    test("an unregistered compression is refused", async () => {
      const compression = "lzma" as "gzip";
      expect(await codeOf(LogStore.open(home(), { compression }))).toBe("UNSUPPORTED_COMPRESSION");
    });
  });
}
