/** The contract of a partition's log: appends, reads, waits, deletion, closing. */
import { writeServerHalf } from "@logstore/codec";
import { expect, test } from "vitest";
import type { PartitionLog } from "../../src/engine/partition-log.js";
import { Bench, batch, batchesIn, codeOf, lines, type MakeHome, numbered } from "./home.js";

const MAX = { maxBytes: 1_000_000 };

export function logContract(makeHome: MakeHome): void {
  const open = async (config = {}): Promise<PartitionLog> => (await Bench.in(makeHome)).log(config);

  test("a new log is empty, sound and open", async () => {
    const log = await open();
    expect({ ...log.offsets, partition: log.partition }).toMatchObject({ partition: 0 });
    const { logStart, highWatermark, logEnd } = log.offsets;
    expect([logStart, highWatermark, logEnd, log.knownEnd]).toEqual([0, 0, 0, 0]);
    expect([log.gaps, log.damage, log.knownDamage, log.failure, log.isClosed]).toEqual([
      [],
      undefined,
      undefined,
      undefined,
      false,
    ]);
    expect(await log.reader(0).next(MAX)).toBeUndefined();
    expect([await log.resolve("earliest"), await log.resolve("latest"), await log.resolve({ time: 0 })]).toEqual([
      0, 0, 0,
    ]);
    expect(await log.appendTimeAt(0)).toBeUndefined();
  });

  test("appends take effect in the order of the calls, at dense offsets, and can be read when acknowledged", async () => {
    const log = await open();
    const calls = Array.from({ length: 30 }, (_, i) => {
      const values = Array.from({ length: i % 7 === 0 ? 1_500 : 1 }, (_, j) => `${i}.${j}`);
      return { values, appended: log.appendBatches(batch(values)) };
    });
    let next = 0;
    const expected: string[] = [];
    for (const { values, appended } of calls) {
      const { baseOffset, nextOffset, duplicate } = await appended;
      expect([baseOffset, nextOffset, duplicate]).toEqual([next, next + values.length, false]);
      for (const value of values) expected.push(`${next++} ${value}`);
      expect(log.offsets.highWatermark).toBeGreaterThanOrEqual(nextOffset);
    }
    expect(log.offsets.logEnd).toBe(next);
    expect(await lines(log)).toEqual(expected);
    expect(await lines(log, next - 3)).toEqual(expected.slice(-3));
  });

  test("several batches of one append are contiguous, and stored as they were sealed but for their first 36 bytes", async () => {
    const log = await open();
    const sealed = [batch(["a", "b"]), batch(["c"])];
    const copies = sealed.map((bytes) => Buffer.from(bytes));
    const before = Date.now();
    expect(await log.appendBatches(Buffer.concat(sealed))).toMatchObject({ baseOffset: 0, nextOffset: 3 });
    const chunk = (await log.reader(0).next(MAX))!;
    const found = batchesIn(chunk.bytes);
    expect(found.map(({ baseOffset, nextOffset }) => [baseOffset, nextOffset])).toEqual([
      [0, 2],
      [2, 3],
    ]);
    for (const [i, { bytes, appendTime }] of found.entries()) {
      expect(Buffer.from(bytes.subarray(36))).toEqual(copies[i]!.subarray(36));
      expect(appendTime).toBeGreaterThanOrEqual(before);
      expect(await log.appendTimeAt(i)).toBe(found[0]!.appendTime);
    }
  });

  test("each durability that is offered is reached, any other refused, and without one the topic's is", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const { durabilities } = engine;
    expect(durabilities.length).toBeGreaterThan(0);
    const byDefault = engine.catalogue.effectiveConfig({}).durability!;
    expect(durabilities).toContain(byDefault);
    const log = (await bench.create(engine)).log(0);
    const reached = async (durability?: (typeof durabilities)[number]) =>
      durabilities.indexOf((await log.appendBatches(batch(["v"]), { durability })).durability);
    for (const [i, durability] of durabilities.entries()) expect(await reached(durability)).toBeGreaterThanOrEqual(i);
    expect(await reached()).toBeGreaterThanOrEqual(durabilities.indexOf(byDefault));
    const all = ["written", "replicated", "flushed", "fsynced"] as (typeof durabilities)[number][];
    for (const durability of all.filter((each) => !durabilities.includes(each))) {
      expect(await codeOf(log.appendBatches(batch(["v"]), { durability }))).toBe("INVALID_ARGUMENT");
      expect(await codeOf(() => engine.catalogue.effectiveConfig({ durability }))).toBe("INVALID_ARGUMENT");
    }
    expect(log.offsets.logEnd).toBe(durabilities.length + 1);
  });

  test("an expected offset is compared with the log's end at that moment: of several, one succeeds", async () => {
    const log = await open();
    await log.appendBatches(batch(["a"]), { expectedOffset: 0 });
    for (const expectedOffset of [0, 2]) {
      expect(await codeOf(log.appendBatches(batch(["x"]), { expectedOffset }))).toBe("WRONG_EXPECTED_OFFSET");
    }
    for (const expectedOffset of [-1, 0.5, Number.NaN]) {
      expect(await codeOf(log.appendBatches(batch(["x"]), { expectedOffset }))).toBe("INVALID_ARGUMENT");
    }
    const rivals = await Promise.all(
      ["b", "c", "d"].map((value) => codeOf(log.appendBatches(batch([value]), { expectedOffset: 1 }))),
    );
    expect(rivals.toSorted()).toEqual(["WRONG_EXPECTED_OFFSET", "WRONG_EXPECTED_OFFSET", undefined]);
    expect(log.offsets.logEnd).toBe(2);
  });

  test("a batch that is resent is appended once, and acknowledged with its first offsets, also after a reopen", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const log = (await bench.create(engine)).log(0);
    await log.appendBatches(numbered(["a", "b"], 0));
    await log.appendBatches(batch(["other"]));
    await log.appendBatches(numbered(["c"], 2));
    const again = { baseOffset: 0, nextOffset: 2, duplicate: true };
    expect(await log.appendBatches(numbered(["a", "b"], 0))).toMatchObject(again);
    expect(await codeOf(log.appendBatches(numbered(["e"], 4)))).toBe("OUT_OF_ORDER_SEQUENCE");
    await bench.close(engine);

    const reopened = (await bench.find(await bench.open())).log(0);
    expect(await reopened.appendBatches(numbered(["a", "b"], 0))).toMatchObject(again);
    expect(await codeOf(reopened.appendBatches(numbered(["e"], 4)))).toBe("OUT_OF_ORDER_SEQUENCE");
    expect(await reopened.appendBatches(numbered(["d"], 3))).toMatchObject({ baseOffset: 4, duplicate: false });
    const newEpoch = { producerId: 7, producerEpoch: 1, baseSequence: 0 };
    await reopened.appendBatches(batch(["f"], newEpoch));
    expect(await codeOf(reopened.appendBatches(numbered(["g"], 4)))).toBe("PRODUCER_FENCED");
    expect(await lines(reopened)).toEqual(["0 a", "1 b", "2 other", "3 c", "4 d", "5 f"]);
  });

  test("a resent batch ignores an expected offset that was right the first time", async () => {
    const log = await open();
    await log.appendBatches(numbered(["a"], 0), { expectedOffset: 0 });
    await log.appendBatches(batch(["b"]));
    expect(await log.appendBatches(numbered(["a"], 0), { expectedOffset: 0 })).toMatchObject({ duplicate: true });
  });

  test("an append that is refused leaves nothing: bad bytes, a batch that is too long, one bad batch of several", async () => {
    const log = await open({ maxBatchBytes: 400 });
    const flipped = batch(["abc"]);
    flipped[flipped.length - 1]! ^= 1;
    const long = batch(["x".repeat(500)]);
    expect(await codeOf(log.appendBatches(flipped))).toBe("CORRUPT_BATCH");
    expect(await codeOf(log.appendBatches(Buffer.from("no batch")))).toBe("TRUNCATED_BATCH");
    expect(await codeOf(log.appendBatches(new Uint8Array(long)))).toBe("BATCH_TOO_LARGE");
    expect(await codeOf(log.appendBatches(Buffer.concat([batch(["a"]), long])))).toBe("BATCH_TOO_LARGE");
    expect(log.offsets.logEnd).toBe(0);
    expect(await log.appendBatches(batch(["a"]))).toMatchObject({ baseOffset: 0 });
  });

  test("a read returns whole batches within maxBytes, with headroom, in a buffer of the reader's own", async () => {
    const log = await open();
    for (let i = 0; i < 6; i++) await log.appendBatches(batch([`${i}`, "x".repeat(100)]));
    const { length } = batch(["0", "x".repeat(100)]);
    const reader = log.reader(0);
    const first = (await reader.next({ maxBytes: 2 * length + 10, headroomBytes: 20 }))!;
    expect([first.bytes.length, first.nextOffset, reader.offset]).toEqual([2 * length, 4, 4]);
    expect(first.bytes.byteOffset).toBeGreaterThanOrEqual(20);
    expect(first.headroomBytes).toBeGreaterThanOrEqual(20);
    new Uint8Array(first.bytes.buffer, 0, first.bytes.byteOffset + first.bytes.length).fill(0xff);
    expect((await lines(log)).length).toBe(12);
    // A single batch that exceeds `maxBytes` is returned nevertheless, unless the read is strict.
    expect(await codeOf(reader.next({ maxBytes: 10, isStrict: true }))).toContain(`batch of ${length} bytes`);
    // Not its class: an engine's package imports that from core as it was built.
    await expect(reader.next({ maxBytes: 10, isStrict: true })).rejects.toHaveProperty("byteLength", length);
    expect(reader.offset).toBe(4);
    expect((await reader.next({ maxBytes: 10 }))!.nextOffset).toBe(6);
    expect((await reader.next({ ...MAX, until: 9 }))!.nextOffset).toBe(10);
    expect(await reader.next({ ...MAX, until: 9 })).toBeUndefined();
    expect((await reader.next(MAX))!.nextOffset).toBe(12);
    expect(await reader.next(MAX)).toBeUndefined();
    // The offset is within a batch: the chunk may begin before it.
    expect(batchesIn((await log.reader(3).next({ maxBytes: 1 }))!.bytes)[0]!.baseOffset).toBe(2);
  });

  test("a reader starts within bounds, or not at all", async () => {
    const log = await open();
    await log.appendBatches(batch(["a", "b", "c", "d"]));
    await log.deleteRecords(2);
    for (const offset of [0, 1, 5, -1, 0.5, Number.NaN]) {
      expect(await codeOf(() => log.reader(offset))).toBe("OFFSET_OUT_OF_RANGE");
    }
    expect(log.reader(2).offset).toBe(2);
    expect(log.reader(4).offset).toBe(4);
  });

  test("positions are resolved: offsets to themselves, ends, and times to the first record appended then or later", async () => {
    const log = await open();
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { baseOffset } = await log.appendBatches(batch([`${i}`, "more"]));
      times.push((await log.appendTimeAt(baseOffset))!);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const [i, time] of times.entries()) {
      expect(await log.resolve({ time })).toBe(2 * times.indexOf(time));
      expect(await log.appendTimeAt(2 * i + 1)).toBe(time);
    }
    await log.deleteRecords(3);
    const at = [3, 10, 10, 3, 77];
    const positions = ["earliest", "latest", { time: times.at(-1)! + 1 }, { time: 0 }, 77] as const;
    expect(await Promise.all(positions.map((position) => log.resolve(position)))).toEqual(at);
    for (const bad of ["first", { time: 0.5 }, {}, null]) {
      expect(await codeOf(log.resolve(bad as never))).toBe("INVALID_ARGUMENT");
    }
  });

  test("a copy keeps its append time, unless that is before the previous one or in the future", async () => {
    const log = await open();
    const copy = (value: string, appendTime: number) => {
      const bytes = batch([value]);
      writeServerHalf(bytes, { baseOffset: 0, appendTime, flushedUpTo: 0 });
      return bytes;
    };
    const before = Date.now();
    await log.appendBatches(Buffer.concat([copy("a", 1_000), copy("b", 3_000), copy("c", 2_000)]));
    await Promise.all([log.appendBatches(copy("d", 4_000)), log.appendBatches(copy("e", 2 ** 52))]);
    await log.appendBatches(copy("f", 5_000));
    const times = await Promise.all([0, 1, 2, 3, 4, 5].map((offset) => log.appendTimeAt(offset)));
    expect(times.slice(0, 4)).toEqual([1_000, 3_000, 3_000, 4_000]);
    expect(times[4]).toBeGreaterThanOrEqual(before);
    expect(times[4]).toBeLessThanOrEqual(Date.now());
    expect(times[5]).toBe(times[4]);
    const found = await Promise.all([1_000, 1_001, 3_500, 5_000].map((time) => log.resolve({ time })));
    expect(found).toEqual([0, 1, 3, 4]);
  });

  test("whoever waits beyond an offset is woken by an append, a signal, the time limit or the close", async () => {
    const log = await open();
    await log.appendBatches(batch(["a"]));
    expect(await log.waitBeyond(0)).toBe(true);
    expect(await log.waitBeyond(1, undefined, 5)).toBe(false);
    expect(await log.waitBeyond(1, AbortSignal.abort())).toBe(true);
    const abort = new AbortController();
    const aborted = log.waitBeyond(1, abort.signal);
    abort.abort();
    expect(await aborted).toBe(true);
    const two = [log.waitBeyond(1), log.waitBeyond(2)];
    await log.appendBatches(batch(["b"]));
    expect(await two[0]).toBe(true);
    await log.close();
    expect(await two[1]).toBe(true);
    expect(log.isClosed).toBe(true);
  });

  test("deleted records are gone for good, offsets go on, and a reader among them is told", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const log = (await bench.create(engine)).log(0);
    for (const value of ["a", "b", "c"]) await log.appendBatches(batch([value]));
    const reader = log.reader(0);
    await log.deleteRecords(2);
    await log.deleteRecords(1); // the log start never moves back
    expect(await codeOf(reader.next(MAX))).toBe("OFFSET_OUT_OF_RANGE");
    for (const offset of [4, 9]) expect(await codeOf(log.deleteRecords(offset))).toBe("OFFSET_OUT_OF_RANGE");
    for (const bad of [-1, 0.5]) expect(await codeOf(log.deleteRecords(bad))).not.toBeUndefined();
    expect(await lines(log)).toEqual(["2 c"]);
    await log.deleteRecords(3);
    expect([log.offsets.logStart, log.offsets.highWatermark]).toEqual([3, 3]);
    await bench.close(engine);
    const reopened = (await bench.find(await bench.open())).log(0);
    expect([reopened.offsets.logStart, reopened.offsets.logEnd]).toEqual([3, 3]);
    expect(await reopened.appendBatches(batch(["d"]))).toMatchObject({ baseOffset: 3 });
    expect(await lines(reopened)).toEqual(["3 d"]);
  });

  test("retention deletes the oldest records; by size never the newest, by age all of them at most", async () => {
    for (const retention of [{ retentionBytes: 500 }, { retentionMs: 1 }]) {
      const log = await open({ segmentBytes: 250, ...retention });
      for (let i = 0; i < 12; i++) await log.appendBatches(batch([`${i}`, "x".repeat(60)]));
      await new Promise((resolve) => setTimeout(resolve, 5));
      await log.applyRetention();
      const { logStart, logEnd } = log.offsets;
      expect(logStart).toBeGreaterThan(0);
      expect(logStart).toBeLessThanOrEqual("retentionBytes" in retention ? 22 : 24);
      expect(logEnd).toBe(24);
      if (logStart < logEnd) expect((await lines(log)).at(-1)).toBe(`23 ${"x".repeat(60)}`);
      expect(await codeOf(() => log.reader(0))).toBe("OFFSET_OUT_OF_RANGE");
      expect(await log.appendBatches(batch(["next"]))).toMatchObject({ baseOffset: 24 });
    }
  });

  test("a batch that a reader finds corrupt is noted: the log has damage, and still accepts appends", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    let changes = 0;
    engine.onHealth(() => changes++);
    const log = (await bench.create(engine)).log(0);
    await log.appendBatches(batch(["a", "b"]));
    const chunk = (await log.reader(0).next(MAX))!;
    const error = log.noteCorrupt(batchesIn(chunk.bytes)[0]!, chunk, new Error("the checksum does not match"));
    expect(error).toMatchObject({ code: "CORRUPT_PARTITION", partition: 0, offset: 0 });
    expect([log.knownDamage?.code, log.damage, log.failure]).toEqual(["CORRUPT_PARTITION", undefined, undefined]);
    expect(changes).toBeGreaterThan(0);
    expect(await log.appendBatches(batch(["c"]))).toMatchObject({ baseOffset: 2 });
  });

  test("closing settles what was accepted; afterwards every call is refused as closed", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const log = (await bench.create(engine)).log(0);
    const reader = log.reader(0);
    const appended = ["a", "b", "c"].map((value) => log.appendBatches(batch([value])));
    await log.close();
    expect((await Promise.all(appended)).map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2]);
    expect(log.isClosed).toBe(true);
    expect(await codeOf(log.appendBatches(batch(["d"])))).toBe("CLOSED");
    expect(await codeOf(reader.next(MAX))).toBe("CLOSED");
    expect(await codeOf(log.deleteRecords(1))).toBe("CLOSED");
    expect(await log.waitBeyond(3)).toBe(true);
    await log.close();
    await bench.close(engine);
    expect(await lines((await bench.find(await bench.open())).log(0))).toEqual(["0 a", "1 b", "2 c"]);
  });
}
