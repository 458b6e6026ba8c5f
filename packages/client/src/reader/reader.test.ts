import { setImmediate as turn } from "node:timers/promises";
import { SlowConsumerError, UnavailableError } from "@logstore/codec";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { flights, slowFlights } from "../../test/schema.js";
import { type Assignment, connect, json, type ReadingOptions, text } from "../index.js";

let api: FakeLogApi;

beforeEach(async () => {
  api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: 3 });
});

/** Appends batches of the given numbers of records, whose values are their offsets. */
async function fill(partition: number, ...sizes: number[]): Promise<void> {
  const producer = connect(api).producer("t");
  let offset = api.partition("t", partition).end;
  for (const size of sizes) {
    const values = Array.from({ length: size }, () => `${offset++}`);
    await Promise.all(values.map((value) => producer.send({ key: `k${value}`, value, partition, timestamp: +value })));
  }
}

const consume = (
  options: Partial<{ assign: Assignment } & Omit<ReadingOptions<string, string>, "key" | "value">> = {},
) => connect(api).reader({ assign: { t: [0] }, value: text(), key: text(), until: "latest", ...options });

async function offsets(reader: AsyncIterable<{ readonly offset: number }>): Promise<number[]> {
  return (await Array.fromAsync(reader)).map(({ offset }) => offset);
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe("records", () => {
  test("every record comes with all it has", async () => {
    const headers = [{ name: "h", value: "v" }];
    await connect(api).producer("t").send({ key: null, value: "0", partition: 0, timestamp: 9, headers });
    await fill(0, 1);
    expect(await Array.fromAsync(consume())).toEqual([
      {
        topic: "t",
        partition: 0,
        offset: 0,
        timestamp: 9,
        key: null,
        value: "0",
        headers: [{ name: "h", value: new Uint8Array([118]) }],
      },
      { topic: "t", partition: 0, offset: 1, timestamp: 1, key: "k1", value: "1", headers: [] },
    ]);
  });

  test("without serializers they are bytes", async () => {
    await fill(0, 1);
    const [record] = await Array.fromAsync(connect(api).reader({ assign: { t: [0] }, until: "latest" }));
    expect(record).toMatchObject({ key: new TextEncoder().encode("k0"), value: new TextEncoder().encode("0") });
  });

  test("it starts and ends within batches", async () => {
    await fill(0, 5, 5, 5);
    expect(await offsets(consume({ from: 3, until: 12 }))).toEqual(range(3, 12));
    expect(await offsets(consume({ from: { t: { 0: 14 } } }))).toEqual([14]);
    expect(await offsets(consume({ from: { time: 7 }, until: { time: 11 } }))).toEqual(range(7, 11));
    expect(await offsets(consume({ from: "latest" }))).toEqual([]);
    expect(await offsets(consume({ from: { other: { 0: 4 } }, until: 2 }))).toEqual([0, 1]);
  });

  test("without an end it waits for what comes", async () => {
    await fill(0, 2);
    const reader = consume({ from: "latest", until: undefined });
    const records = reader[Symbol.asyncIterator]();
    const next = records.next();
    await turn();
    await fill(0, 1);
    expect((await next).value).toMatchObject({ offset: 2 });
    await records.return!();
    await turn();
    expect(api.openStreams).toBe(0);
  });

  test("calls of next() that do not wait for one another are answered in order", async () => {
    await fill(0, 1, 3, 2);
    const records = consume()[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 8 }, () => records.next()));
    expect(results.map(({ value }) => value?.offset)).toEqual([...range(0, 6), undefined, undefined]);
  });

  // A call that found its record at once used to overtake the end of one that had waited.
  test("calls of next() settle in order, whenever a later one is made", async () => {
    await fill(0, 6);
    for (let ticks = 0; ticks < 40; ticks++) {
      const records = consume()[Symbol.asyncIterator]();
      const order: unknown[] = [];
      const next = () => records.next().then(({ value }) => order.push(value?.offset));
      const calls = [next()];
      for (let i = 0; i < ticks; i++) await undefined;
      for (let i = 1; i < 6; i++) {
        calls.push(next());
        await undefined;
      }
      await Promise.all(calls);
      expect(order, `after ${ticks} ticks`).toEqual(range(0, 6));
    }
  });
});

describe("values", () => {
  test("a schema that is async now and then does not change the order", async () => {
    await connect(api)
      .producer("t")
      .sendMany([0, 1, 2].map((i) => ({ value: `${i}`, partition: 0 })));
    const validate = (value: unknown) => (value === 1 ? turn({ value }) : { value });
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as const;
    const reader = connect(api).reader({ assign: { t: [0] }, schema });
    const records = reader[Symbol.asyncIterator]();
    const order: unknown[] = [];
    const next = () => records.next().then(({ value }) => order.push(value?.value));
    await next();
    await Promise.all([next(), next()]);
    expect(order).toEqual([0, 1, 2]);
    expect(reader.position("t", 0)).toBe(3);
    await reader.close();
  });

  test("a schema checks what is read", async () => {
    const producer = connect(api).producer("t", { value: json<unknown>() });
    await producer.send({ value: { carrier: "UA", delay: 1 }, partition: 1 });
    await producer.send({ value: { carrier: "UA" }, partition: 1 });
    await producer.send({ value: { carrier: "AA", delay: 3 }, partition: 1 });
    for (const schema of [flights, slowFlights]) {
      const reader = connect(api).reader({ assign: { t: [1] }, until: "latest", schema });
      const carriers: string[] = [];
      const reading = async () => {
        for await (const { value } of reader) carriers.push(value.carrier);
      };
      await expect(reading()).rejects.toMatchObject({ code: "INVALID_VALUE", topic: "t", partition: 1, offset: 1 });
      expect(reader.position("t", 1)).toBe(1);
      reader.seek("t", 1, 2); // after the invalid record
      await reading();
      expect(carriers).toEqual(["UA", "AA"]);
    }
  });

  test("what does not deserialize is an invalid value", async () => {
    await fill(0, 1);
    await connect(api).producer("t").send({ value: "{", partition: 0 });
    const reader = connect(api).reader({ assign: { t: [0] }, value: json() });
    await expect(offsets(reader)).rejects.toMatchObject({
      code: "INVALID_VALUE",
      offset: 1,
      cause: { cause: expect.any(SyntaxError) },
    });
  });
});

describe("batches", () => {
  test("views have the batch's bytes and the records that were asked for", async () => {
    await fill(0, 5, 5, 5);
    const batches = await Array.fromAsync(consume({ from: 3, until: 12 }).batches());
    expect(batches.map(({ baseOffset, nextOffset }) => [baseOffset, nextOffset])).toEqual([
      [3, 5],
      [5, 10],
      [10, 12],
    ]);
    expect(batches.flatMap((batch) => [...batch]).map(({ offset, value }) => [offset, value])).toEqual(
      range(3, 12).map((offset) => [offset, `${offset}`]),
    );
    expect(batches.map(({ bytes }) => Buffer.from(bytes))).toEqual(
      api.partition("t", 0).batches.map(({ bytes }) => Buffer.from(bytes)),
    );
  });

  test("position moves batch by batch; an async schema is refused", async () => {
    await fill(0, 5, 5);
    const reader = connect(api).reader({ assign: { t: [0] }, until: "latest", schema: slowFlights });
    for await (const batch of reader.batches()) {
      expect(reader.position("t", 0)).toBe(batch.nextOffset);
      expect(() => [...batch]).toThrow(/async/);
    }
  });
});

describe("chunks", () => {
  const chunked = async (reader: { chunks(): AsyncIterable<readonly { readonly offset: number }[]> }) =>
    (await Array.fromAsync(reader.chunks())).map((chunk) => chunk.map(({ offset }) => offset));

  test("they hold the records of a batch that were asked for, and position is past them", async () => {
    await fill(0, 5, 5, 5);
    const reader = consume({ from: 3, until: 12 });
    const chunks = [];
    for await (const chunk of reader.chunks()) {
      expect(reader.position("t", 0)).toBe(chunk.at(-1)!.offset + 1);
      chunks.push(chunk);
    }
    expect(chunks.map((chunk) => chunk.map(({ offset }) => offset))).toEqual([[3, 4], range(5, 10), [10, 11]]);
    expect(chunks.flat()).toEqual(await Array.fromAsync(consume({ from: 3, until: 12 })));
  });

  test("the records of a large batch come in several", async () => {
    await fill(0, 2_500);
    expect(await chunked(consume({ from: 1 }))).toEqual([range(1, 1_001), range(1_001, 2_001), range(2_001, 2_500)]);
  });

  test.each(["sync", "async"])("the records before an invalid one come first, then its error: %s", async (how) => {
    await fill(0, 3, 4);
    const validate = (value: unknown) =>
      (value as { n: number }).n === 5 ? { issues: [{ message: "five" }] } : { value: `${(value as { n: number }).n}` };
    const later = async (value: unknown) => validate(value);
    const reader = connect(api).reader({
      assign: { t: [0] },
      until: "latest",
      value: { serialize: (value: string) => value, deserialize: (bytes) => ({ n: +Buffer.from(bytes) }) as never },
      schema: { "~standard": { version: 1, vendor: "test", validate: how === "sync" ? validate : later } },
    });
    const seen: number[][] = [];
    const reading = async () => {
      for await (const chunk of reader.chunks()) seen.push(chunk.map(({ offset }) => offset));
    };
    await expect(reading()).rejects.toMatchObject({ code: "INVALID_VALUE", topic: "t", partition: 0, offset: 5 });
    expect(seen).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
    expect(reader.position("t", 0)).toBe(5);
    reader.seek("t", 0, 6);
    expect(await chunked(reader)).toEqual([[6]]);
  });

  test("a seek past an invalid record, made in the loop, drops its error", async () => {
    await fill(0, 4);
    const refuseTwo = (bytes: Uint8Array) => {
      if (`${Buffer.from(bytes)}` === "2") throw new Error("two");
      return "";
    };
    const value = { serialize: (text: string) => text, deserialize: refuseTwo };
    const reader = connect(api).reader({ assign: { t: [0] }, until: "latest", value });
    const seen: number[][] = [];
    for await (const chunk of reader.chunks()) {
      seen.push(chunk.map(({ offset }) => offset));
      if (reader.position("t", 0) === 2) reader.seek("t", 0, 3);
    }
    expect(seen).toEqual([[0, 1], [3]]);
  });

  test("a damaged batch is named, after the good ones before it", async () => {
    await fill(0, 2, 3, 1);
    const { bytes } = api.partition("t", 0).batches[1]!;
    bytes[bytes.length - 1]!++;
    const chunks = consume().chunks();
    expect((await chunks.next()).value).toHaveLength(2);
    await expect(chunks.next()).rejects.toMatchObject({ code: "CORRUPT_BATCH", topic: "t", partition: 0, offset: 2 });
    expect(await chunks.next()).toEqual({ done: true, value: undefined });
  });

  test("break closes the streams, and abort ends a wait with its reason", async () => {
    await fill(0, 3);
    for await (const _ of consume({ until: undefined }).chunks()) break;
    await turn();
    expect(api.openStreams).toBe(0);
    const controller = new AbortController();
    const chunks = consume({ until: undefined, signal: controller.signal }).chunks();
    await chunks.next();
    const waiting = chunks.next();
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await turn();
    expect(api.openStreams).toBe(0);
  });

  test("concurrent calls of next() lose nothing and keep the order", async () => {
    await fill(0, 2, 2, 2);
    const chunks = consume().chunks();
    const results = await Promise.all(Array.from({ length: 4 }, () => chunks.next()));
    expect(results.map(({ value }) => value?.[0]?.offset)).toEqual([0, 2, 4, undefined]);
  });
});

describe("position, lag, seek", () => {
  test("position is the next record's offset, lag what lies between it and the high watermark", async () => {
    await fill(0, 2, 2);
    const reader = consume();
    expect([reader.position("t", 0), reader.lag("t", 0)]).toEqual([undefined, undefined]);
    const seen: unknown[] = [];
    for await (const { offset } of reader) seen.push([offset, reader.position("t", 0), reader.lag("t", 0)]);
    expect(seen).toEqual([
      [0, 1, 3],
      [1, 2, 2],
      [2, 3, 1],
      [3, 4, 0],
    ]);
    expect(() => reader.position("t", 1)).toThrow(/does not read partition/);
  });

  test("seek goes on elsewhere, back or forth, in the middle of a batch", async () => {
    await fill(0, 5, 5);
    await fill(1, 3);
    const reader = consume({ assign: { t: [0, 1] } });
    const seen: number[] = [];
    for await (const { partition, offset } of reader) {
      if (partition !== 0) continue;
      seen.push(offset);
      if (seen.length === 2) reader.seek("t", 0, 8);
      if (seen.length === 4) reader.seek("t", 0, 3);
    }
    expect(seen).toEqual([0, 1, 8, 9, ...range(3, 10)]);
    expect(api.openStreams).toBe(0);
  });

  test("seek before a loop is where it starts", async () => {
    await fill(0, 5);
    const reader = consume();
    reader.seek("t", 0, 3);
    expect(await offsets(reader)).toEqual([3, 4]);
  });

  test("partitions are read in turns", async () => {
    for (const partition of [0, 1, 2]) await fill(partition, 1, 1, 1, 1, 1, 1, 1, 1);
    api.consume = limited(api, 1);
    const order: number[] = [];
    for await (const { partition } of consume({ assign: { t: [0, 1, 2] } })) {
      order.push(partition);
      await turn(); // each partition has its next message by now
    }
    for (let i = 1; i <= order.length; i++) {
      const counts = [0, 1, 2].map((partition) => order.slice(0, i).filter((p) => p === partition).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    expect(order.length).toBe(24);
  });

  test("a slow loop stops the reading: one message a partition is ahead", async () => {
    await fill(0, 1, 1, 1, 1, 1, 1);
    let delivered = 0;
    api.onEvent = (event) => {
      delivered++;
      return event;
    };
    api.consume = limited(api, 1);
    const reader = consume();
    const records = reader[Symbol.asyncIterator]();
    for (let taken = 1; taken <= 3; taken++) {
      await records.next();
      for (let i = 0; i < 5; i++) await turn();
      expect(delivered).toBe(taken + 1);
    }
    await records.return!();
  });
});

const KIB = 1024;

test.each([
  [1, 512 * KIB],
  [16, 512 * KIB],
  [64, 128 * KIB],
  [200, 64 * KIB],
])("of %d partitions, each is read in messages of at most %d bytes", async (partitions, bytes) => {
  await api.createTopic({ topic: "wide", partitions });
  const records = range(0, 10 * partitions).map((n) => ({ key: `${n}`, value: `${n}` }));
  await connect(api).producer("wide").sendMany(records);
  await offsets(consume({ assign: { wide: range(0, partitions) } }));
  expect(new Set(api.consumed.map(({ maxBytes }) => maxBytes))).toEqual(new Set([bytes]));
});

/** A log that sends one batch per message, whatever is requested. */
function limited(api: FakeLogApi, maxBytes: number): FakeLogApi["consume"] {
  const consume = FakeLogApi.prototype.consume.bind(api);
  return (request, options) => consume({ ...request, maxBytes }, options);
}

describe("when things go wrong", () => {
  test.each([
    ["a lost connection is made again", UnavailableError],
    ["a slow reader that was cut off goes on", SlowConsumerError],
  ])("%s; no record is skipped or repeated", async (_, Failure) => {
    await fill(0, ...range(1, 12));
    api.consume = limited(api, 1);
    let events = 0;
    api.onEvent = (event) => {
      if (++events % 3 === 0) throw new Failure("gone");
      return event;
    };
    expect(await offsets(consume())).toEqual(range(0, 66));
    expect(api.consumed.length).toBeGreaterThan(4);
    expect(api.openStreams).toBe(0);
  });

  test("a stream that just ends is opened again", async () => {
    await fill(0, 3);
    const consume = api.consume.bind(api);
    let calls = 0;
    api.consume = async function* (request, options) {
      if (calls++ > 0) yield* consume(request, options);
    };
    expect(await offsets(connect(api).reader({ assign: { t: [0] }, until: 3 }))).toEqual([0, 1, 2]);
  });

  test("other errors end the loop and the other partitions' streams", async () => {
    await expect(offsets(consume({ assign: { nope: [0] }, until: undefined, from: 0 }))).rejects.toMatchObject({
      code: "UNKNOWN_TOPIC",
    });
    await expect(offsets(consume({ assign: { nope: [0] } }))).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    await expect(offsets(consume({ assign: { t: [0, 7] }, until: undefined, from: 0 }))).rejects.toMatchObject({
      code: "UNKNOWN_PARTITION",
      partition: 7,
    });
    await expect(offsets(consume({ from: 99, until: undefined }))).rejects.toMatchObject({
      code: "OFFSET_OUT_OF_RANGE",
    });
    await turn();
    expect(api.openStreams).toBe(0);
  });

  for (const [what, damage] of [
    ["records", (bytes: Uint8Array) => bytes[bytes.length - 1]!++],
    ["header", (bytes: Uint8Array) => bytes[10]!++],
  ] as const) {
    test(`a damaged batch (${what}) is named, after the good ones before it`, async () => {
      await fill(2, 2, 3, 1);
      damage(api.partition("t", 2).batches[1]!.bytes);
      const reader = consume({ assign: { t: [2] } });
      const seen: number[] = [];
      const reading = async () => {
        for await (const { offset } of reader) seen.push(offset);
      };
      await expect(reading()).rejects.toMatchObject({ code: "CORRUPT_BATCH", topic: "t", partition: 2, offset: 2 });
      expect(seen).toEqual([0, 1]);
      expect(reader.position("t", 2)).toBe(2);
    });
  }

  test("records that retention took are skipped, before and between streams", async () => {
    await fill(0, 2, 2, 2, 2, 2);
    api.consume = limited(api, 1);
    const log = api.partition("t", 0);
    let events = 0;
    api.onEvent = (event) => {
      events++;
      if (events === 1) log.logStartOffset = 4;
      if (events === 4) {
        log.logStartOffset = 8;
        throw new UnavailableError("gone");
      }
      return event;
    };
    expect(await offsets(consume())).toEqual([0, 1, 4, 5, 8, 9]);
  });

  test.each([
    ["of one message", 1e6, 1],
    ["between messages", 1, 1],
    ["between messages, several", 1, 2],
    ["at the start", 1e6, 0],
  ])("records that are missing without a word end the loop: %s", async (_, maxBytes, index) => {
    await fill(0, 2, 2, 2, 2, 2);
    const consume_ = api.consume.bind(api);
    api.consume = (request, options) => consume_({ ...request, maxBytes }, options);
    api.partition("t", 0).lose(index, 2, false);
    const reader = consume({ onSkipped: () => expect.unreachable() });
    const read: number[] = [];
    const reading = (async () => {
      for await (const { offset } of reader) read.push(offset);
    })();
    const [expected, actual] = [2 * index, 2 * index + 4];
    await expect(reading).rejects.toMatchObject({ code: "OFFSET_GAP", topic: "t", partition: 0, expected, actual });
    expect(read).toEqual(range(0, expected));
    expect(reader.position("t", 0)).toBe(expected);
    const batches = consume().batches();
    await expect(Array.fromAsync(batches)).rejects.toMatchObject({ code: "OFFSET_GAP" });
    // After a seek, a reader continues without the missing records.
    reader.seek("t", 0, actual);
    expect(await offsets(reader)).toEqual(range(actual, 10));
  });

  test("a gap that begins beyond the position is an error, too", async () => {
    await fill(0, 2, 2, 2);
    api.partition("t", 0).lose(1, 1, true);
    api.onEvent = (event) => (event.type === "gap" ? { ...event, firstOffset: 3 } : event);
    await expect(offsets(consume())).rejects.toMatchObject({ code: "OFFSET_GAP", expected: 2, actual: 3 });
  });

  test("what a repair has cut out is passed over and told of, also at the end", async () => {
    await fill(0, 2, 2, 2, 2, 2);
    api.partition("t", 0).lose(4, 1, true);
    api.partition("t", 0).gaps.length = 0;
    api.partition("t", 0).lose(1, 1, true);
    api.partition("t", 0).gaps.push({ firstOffset: 8, nextOffset: 10 });
    const skipped: unknown[] = [];
    const reader = consume({ onSkipped: ({ from, to }) => void skipped.push([from, to]) });
    expect(await offsets(reader)).toEqual([0, 1, 4, 5, 6, 7]);
    expect(skipped).toEqual([
      [2, 4],
      [8, 10],
    ]);
    expect([reader.position("t", 0), reader.lag("t", 0)]).toEqual([10, 0]);
    expect(api.consumed).toHaveLength(1); // no stream was reopened
    expect(await offsets(consume({ from: 3, until: 9 }))).toEqual([4, 5, 6, 7]);
  });

  test("position moves with the log's start, also when nothing is left", async () => {
    await fill(0, 2, 2);
    const log = api.partition("t", 0);
    api.consume = limited(api, 1);
    api.onEvent = (event) => {
      log.logStartOffset = 4;
      return event;
    };
    const reader = consume({ until: undefined });
    const records = reader[Symbol.asyncIterator]();
    await records.next();
    await records.next();
    const waiting = records.next();
    for (let i = 0; i < 5; i++) await turn();
    expect([reader.position("t", 0), reader.lag("t", 0)]).toEqual([4, 0]);
    await reader.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});

describe("ending", () => {
  test("abort throws the signal's reason, also while waiting, and closes the streams", async () => {
    await fill(0, 3);
    const controller = new AbortController();
    const reader = consume({ until: undefined, signal: controller.signal });
    const seen: number[] = [];
    const reading = async () => {
      for await (const { offset } of reader) seen.push(offset);
    };
    const done = expect(reading()).rejects.toMatchObject({ name: "AbortError" });
    for (let i = 0; i < 5; i++) await turn();
    controller.abort();
    await done;
    expect(seen).toEqual([0, 1, 2]);
    await turn();
    expect(api.openStreams).toBe(0);
    await expect(offsets(reader)).rejects.toMatchObject({ name: "AbortError" });
  });

  test("abort drops what was read ahead", async () => {
    await fill(0, 3);
    const controller = new AbortController();
    const seen: number[] = [];
    const reading = async () => {
      for await (const { offset } of consume({ signal: controller.signal })) {
        seen.push(offset);
        controller.abort(new Error("mine"));
      }
    };
    await expect(reading()).rejects.toThrow("mine");
    expect(seen).toEqual([0]);
  });

  test("close from elsewhere ends the loop quietly", async () => {
    await fill(0, 3);
    const reader = consume({ until: undefined });
    const reading = offsets(reader);
    for (let i = 0; i < 5; i++) await turn();
    await reader.close();
    expect(await reading).toEqual([0, 1, 2]);
    expect(await offsets(reader)).toEqual([]);
    expect(api.openStreams).toBe(0);
  });

  test("closing the client closes its readers", async () => {
    const client = connect(api);
    const reading = offsets(client.reader({ assign: { t: [0, 1] } }));
    await turn();
    await client.close();
    expect(await reading).toEqual([]);
  });

  test("break closes the streams; another loop goes on where it was left", async () => {
    await fill(0, 5, 5);
    const reader = consume();
    for await (const { offset } of reader) if (offset === 3) break;
    expect(api.openStreams).toBe(0);
    expect(await offsets(reader)).toEqual(range(4, 10));
  });

  test("two loops at once are refused", async () => {
    const reader = consume({ until: undefined });
    const records = reader[Symbol.asyncIterator]();
    expect(() => reader.batches()).toThrow(/already/);
    await records.return!();
  });

  test("a client that closes while a loop waits to connect again ends it", async () => {
    await fill(0, 1);
    api.onEvent = () => {
      throw new UnavailableError("gone");
    };
    const reader = consume({ until: undefined });
    const reading = offsets(reader);
    for (let i = 0; i < 5; i++) await turn();
    await reader.close();
    expect(await reading).toEqual([]);
  });
});

describe("topics", () => {
  test("all their partitions are read, each from where it is to start", async () => {
    await api.createTopic({ topic: "u", partitions: 2 });
    for (const partition of [0, 1, 2]) await fill(partition, 2);
    await connect(api).producer("u").send({ value: "0", partition: 1 });
    const reader = connect(api).reader({ topics: ["t", "u", "t"], from: { t: { 1: 1 } }, until: "latest" });
    expect(reader.position("t", 1)).toBeUndefined(); // the topic's partitions are not known yet
    expect(() => reader.seek("t", 1, 0)).toThrow(/begun/);
    const read = (await Array.fromAsync(reader)).map(
      ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`,
    );
    expect(read.sort()).toEqual(["t/0/0", "t/0/1", "t/1/1", "t/2/0", "t/2/1", "u/1/0"]);
    expect(reader.position("t", 1)).toBe(2);
    expect(() => reader.position("t", 3)).toThrow(/does not read partition/);
    expect(() => reader.position("other", 0)).toThrow(/does not read partition/);
    expect(api.consumed.map(({ topicId }) => topicId)).toContain("id-of-u");
  });

  test("a topic that is not there ends the loop with its error; another loop looks again", async () => {
    const reader = connect(api).reader({ topics: ["later"], until: "latest" });
    await expect(offsets(reader)).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    await api.createTopic({ topic: "later", partitions: 1 });
    await connect(api).producer("later").send({ value: "v" });
    expect(await offsets(reader)).toEqual([0]);
  });

  test("a reader that is closed while its topics are looked up ends", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    api.onDescribe = () => promise;
    const reader = connect(api).reader({ topics: ["t"] });
    const reading = offsets(reader);
    await turn();
    await reader.close();
    expect(await reading).toEqual([]);
    resolve();
    await turn();
    expect(api.openStreams).toBe(0);
  });
});
