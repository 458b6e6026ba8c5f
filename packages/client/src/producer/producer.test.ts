import { setImmediate as turn } from "node:timers/promises";
import { InvalidArgumentError, RecordBatch } from "@logstore/codec";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { flights, slowFlights } from "../../test/schema.js";
import { BatchTooLargeError, connect, json, UnavailableError } from "../index.js";

let api: FakeLogApi;
const client = () => connect(api);
const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const counts = () => api.produced.map(({ batches }) => RecordBatch.parse(batches).recordCount);

beforeEach(async () => {
  api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: 1 });
  await api.createTopic({ topic: "many", partitions: 4 });
});

/** Holds every produce call until it is released. */
function hold() {
  const held: (() => void)[] = [];
  api.onProduce = async (_, append) => {
    await new Promise<void>((resolve) => held.push(resolve));
    return append();
  };
  return held;
}

describe("sending", () => {
  test("an ack says where the record is and how safe", async () => {
    const producer = client().producer("t", { durability: "written" });
    expect(await producer.send({ value: "a" })).toEqual({
      topic: "t",
      partition: 0,
      offset: 0,
      nextOffset: 1,
      durability: "written",
    });
    const acks = await Promise.all([producer.send({ value: "b" }), producer.send({ value: new Uint8Array([99]) })]);
    expect(acks.map(({ offset }) => offset)).toEqual([1, 2]);
    expect(api.values("t")).toEqual(["a", "b", "c"]);
  });

  test("keys, timestamps and headers arrive", async () => {
    const headers = [{ name: "h", value: "v" }];
    await client().producer("t").send({ key: "k", value: "v", timestamp: 12, headers });
    const [record] = api.partition("t", 0).batches[0]!;
    const { name, value } = record!.headers[0]!;
    expect(record!.timestamp).toBe(12);
    expect([name, ...[record!.key!, record!.value, value].map(toText)]).toEqual(["h", "k", "v", "v"]);
  });

  test("the time of records goes on after a test has faked the timers", async () => {
    const producer = client().producer("t");
    const faked = vi.spyOn(process, "nextTick").mockImplementation(() => {});
    const first = producer.send({ value: "" });
    faked.mockRestore();
    await first;
    const now = vi.spyOn(Date, "now").mockReturnValue(12);
    onTestFinished(() => now.mockRestore());
    await producer.send({ value: "" });
    expect(
      api
        .partition("t", 0)
        .batches.flatMap((batch) => [...batch])
        .at(-1)!.timestamp,
    ).toBe(12);
  });

  test("a key always goes to its partition, a partition can be named", async () => {
    const producer = client().producer("many");
    const keyed = await Promise.all(
      ["a", "a", new TextEncoder().encode("a")].map((key) => producer.send({ key, value: "" })),
    );
    expect(new Set(keyed.map(({ partition }) => partition))).toEqual(new Set([0xe40c292c % 4]));
    expect(await producer.send({ key: "a", value: "", partition: 3 })).toMatchObject({ partition: 3 });
    await expect(producer.send({ value: "", partition: 4 })).rejects.toMatchObject({
      code: "UNKNOWN_PARTITION",
      expected: 4,
    });
  });

  test("records without a key share a batch; each batch goes to another partition", async () => {
    const producer = client().producer("many", { batchBytes: 1_000 });
    const partitions: number[] = [];
    for (let i = 0; i < 8; i++) {
      const acks = await Promise.all([1, 2, 3].map(() => producer.send({ value: "" })));
      expect(new Set(acks.map(({ partition }) => partition)).size).toBe(1);
      partitions.push(acks[0]!.partition);
    }
    expect(partitions).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    api.produced.length = 0;
    const acks = await Promise.all(Array.from({ length: 80 }, () => producer.send({ value: "x".repeat(84) })));
    const each = [0, 1, 2, 3].map((one) => acks.filter(({ partition }) => partition === one).length);
    expect(Math.max(...each) - Math.min(...each)).toBeLessThanOrEqual(10);
    expect(api.produced.length).toBeLessThanOrEqual(10); // all but the last one are full
  });

  test("a partition that the topic does not have lets no record overtake those that wait", async () => {
    const producer = client().producer("many");
    const held = hold();
    const send = (value: string) => producer.send({ value, partition: 0 });
    const sends = [send("a")];
    while (held.length === 0) await turn();
    sends.push(send("b")); // the first batch goes alone
    await expect(producer.send({ value: "", partition: 99 })).rejects.toMatchObject({ code: "UNKNOWN_PARTITION" });
    sends.push(send("c"));
    for (let i = 0; i < 5; i++) await turn();
    api.onProduce = (_, append) => append();
    for (const release of held) release();
    await Promise.all(sends);
    expect(api.values("many")).toEqual(["a", "b", "c"]);
    expect(new Set(api.produced.map(({ batches }) => RecordBatch.parse(batches).producerId)).size).toBe(1);
  });

  test("an unknown topic is told by send, and looked for again by the next one", async () => {
    const producer = client().producer("new");
    await expect(producer.send({ value: "x" })).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    await api.createTopic({ topic: "new", partitions: 1 });
    expect(await producer.send({ value: "x" })).toMatchObject({ offset: 0 });
  });

  test("a send that follows a refused one at once is sent, or refused as well", async () => {
    const producer = client().producer("new");
    const refused = producer.send({ value: "x" }).catch(() => producer.send({ value: "y" }));
    await expect(refused).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    await api.createTopic({ topic: "new", partitions: 1 });
    expect(await producer.send({ value: "z" })).toMatchObject({ offset: 0 });
  });

  test("the caller may reuse his buffers at once", async () => {
    const producer = client().producer("t");
    const value = Buffer.from("one");
    const sends = [producer.send({ key: value, value, headers: [{ name: "h", value }] })]; // the topic has not been described yet
    value.write("two");
    await sends[0];
    sends.push(producer.send({ value }));
    value.write("six");
    await sends[1];
    expect(api.values("t")).toEqual(["one", "two"]);
    const [record] = api.partition("t", 0).batches[0]!;
    expect([record!.key!, record!.headers[0]!.value].map(toText)).toEqual(["one", "one"]);
  });

  test("a record that is too large is refused alone", async () => {
    const producer = client().producer("t");
    await producer.send({ value: "a" });
    const sends = [
      producer.send({ value: "b" }),
      producer.send({ value: new Uint8Array(17 * 1024 * 1024) }),
      producer.send({ value: "c" }),
    ];
    const outcomes = await Promise.allSettled(sends);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(api.values("t")).toEqual(["a", "b", "c"]);
  });
});

describe("values", () => {
  test("a value that does not fit its schema is not sent, others are", async () => {
    for (const schema of [flights, slowFlights]) {
      const producer = client().producer("t", { schema });
      const sends = [
        producer.send({ value: { carrier: "UA", delay: 1 } }),
        producer.send({ value: { carrier: "UA" } as never }),
        producer.send({ value: { carrier: "AA", delay: 2 } }),
      ];
      await expect(sends[1]).rejects.toMatchObject({
        code: "INVALID_VALUE",
        message: expect.stringMatching(/delay: must be a number/),
      });
      await Promise.all([sends[0], sends[2]]);
    }
    expect(api.values("t")).toEqual([
      '{"carrier":"UA","delay":1}',
      '{"carrier":"AA","delay":2}',
      '{"carrier":"UA","delay":1}',
      '{"carrier":"AA","delay":2}',
    ]);
  });

  test("an async validator keeps the order of the sends", async () => {
    const producer = client().producer("t", { schema: slowFlights });
    await Promise.all(Array.from({ length: 20 }, (_, delay) => producer.send({ value: { carrier: "UA", delay } })));
    expect(api.values("t").map((value) => JSON.parse(value).delay)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test("values without a form are refused", async () => {
    await expect(client().producer("t", { value: json() }).send({ value: undefined })).rejects.toMatchObject({
      code: "INVALID_VALUE",
    });
    await expect(
      client()
        .producer("t")
        .send({ value: { a: 1 } as never }),
    ).rejects.toMatchObject({
      code: "INVALID_VALUE",
      message: expect.stringMatching(/schema or a serializer/),
    });
    expect(api.produced).toEqual([]);
  });
});

describe("batching", () => {
  test("the sends of a turn travel together, and so do those that came while a batch was under way", async () => {
    const producer = client().producer("t");
    await producer.send({ value: "first" });
    const held = hold();
    const sends = [1, 2, 3].map(() => producer.send({ value: "x" }));
    await turn();
    expect(counts()).toEqual([1, 3]);
    for (let i = 0; i < 5; i++) {
      sends.push(producer.send({ value: "y" }));
      await turn();
    }
    expect(counts()).toEqual([1, 3]);
    held.shift()!();
    await turn();
    await turn();
    expect(counts()).toEqual([1, 3, 5]);
    held.shift()!();
    await Promise.all(sends);
  });

  test("full batches do not wait: up to five are under way", async () => {
    const producer = client().producer("t", { batchBytes: 1000 });
    await producer.send({ value: "first" });
    const held = hold();
    const sends = Array.from({ length: 20 }, () => producer.send({ value: "x".repeat(500) }));
    await turn();
    expect(held.length).toBe(5);
    api.onProduce = (_, append) => append();
    for (const release of held) release();
    await producer.flush();
    expect((await Promise.all(sends)).map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test("the first batch goes alone: until it is in, the log takes any other for the first", async () => {
    const producer = client().producer("t", { batchBytes: 1000 });
    const held = hold();
    const sends = Array.from({ length: 4 }, () => producer.send({ value: "x".repeat(500) }));
    await turn();
    expect(held.length).toBe(1);
    held.shift()!();
    await turn();
    expect(held.length).toBe(2); // the last batch is still open
    api.onProduce = (_, append) => append();
    for (const release of held) release();
    await Promise.all(sends);
  });

  test("linger gathers over turns; flush does not wait for it", async () => {
    const producer = client().producer("t", { lingerMs: 60_000 });
    const sends = [producer.send({ value: "a" })];
    await turn();
    sends.push(producer.send({ value: "b" }));
    await turn();
    expect(api.produced.length).toBe(0);
    await producer.flush();
    expect(counts()).toEqual([2]);
    await Promise.all(sends);
  });

  test("records of several callers share a batch, and each caller learns where its own are", async () => {
    const producer = client().producer("t");
    await producer.send({ value: "0" });
    const two = (value: string) => producer.sendMany([{ value }, { value }]);
    const outcomes = [two("1"), producer.send({ value: "3" }), producer.send({ value: "4" }), two("5")];
    const told = (await Promise.all(outcomes)).map((one) => ("partitions" in one ? one.partitions[0]! : one));
    expect(told.map(({ offset, nextOffset }) => [offset, nextOffset])).toEqual([
      [1, 3],
      [3, 4],
      [4, 5],
      [5, 7],
    ]);
    expect(api.values("t")).toEqual(["0", "1", "1", "3", "4", "5", "5"]);
    expect(counts()).toEqual([1, 6]);
  });

  test("sendMany tells where its records are when a later batch is acknowledged first", async () => {
    const producer = client().producer("t", { batchBytes: 1_000 });
    await producer.send({ value: "" });
    const acks: (() => void)[] = [];
    api.onProduce = async (_, append) => {
      const ack = append();
      await new Promise<void>((resolve) => acks.push(resolve));
      return ack;
    };
    const sent = producer.sendMany(Array.from({ length: 3 }, () => ({ value: "x".repeat(600) })));
    while (acks.length < 3) await turn();
    for (const ack of acks.reverse()) {
      ack();
      await turn();
    }
    expect((await sent).partitions).toEqual([{ partition: 0, count: 3, offset: 1, nextOffset: 4 }]);
  });

  test("compressed batches arrive", async () => {
    const producer = client().producer("t", { compression: "zstd" });
    await producer.sendMany(Array.from({ length: 100 }, () => ({ value: "the same again" })));
    expect(api.partition("t", 0).batches.map(({ compression }) => compression)).toContain("zstd");
    expect(api.values("t").length).toBe(100);
  });
});

describe("bounded memory", () => {
  test("a send beyond the buffer is refused at once; ready() tells when there is room", async () => {
    const producer = client().producer("t", { maxBufferedBytes: 1000 });
    const held = hold();
    const value = "x".repeat(384); // 400 bytes with its overhead
    const sends = [producer.send({ value }), producer.send({ value })];
    await expect(producer.send({ value })).rejects.toMatchObject({
      code: "BUFFER_FULL",
      message: expect.stringMatching(/producer\.ready\(\)/),
    });
    await turn();
    let isReady = false;
    const ready = producer.ready().then(() => (isReady = true));
    await turn();
    expect(isReady).toBe(false);
    held.shift()!();
    await ready;
    await Promise.all(sends);
    const again = producer.send({ value });
    await turn();
    held.shift()!();
    expect(await again).toMatchObject({ offset: 2 });
  });

  test("ready() waits until half of the buffer is free", async () => {
    const producer = client().producer("many", { maxBufferedBytes: 1000 });
    const held = hold();
    const sends = [0, 1, 2].map((partition) => producer.send({ value: "x".repeat(284), partition }));
    await turn();
    await turn();
    let isReady = false;
    const ready = producer.ready().then(() => (isReady = true));
    held.shift()!();
    await sends[0];
    await turn();
    expect(isReady).toBe(false); // 600 of 1000 bytes are in use
    held.shift()!();
    await ready;
    held.shift()!();
    await Promise.all(sends);
  });

  test.each([
    ["t", 1],
    ["many", 4],
  ])("ready() waits while more is buffered than keeps the partitions of %s busy", async (topic, partitions) => {
    const producer = client().producer(topic);
    await producer.send({ value: "" }); // the partitions are known
    const held = hold();
    const value = "x".repeat(500);
    const send = (count: number) =>
      Array.from({ length: count * partitions }, (_, i) => producer.send({ value, partition: i % partitions }));
    const sends = send(5_000);
    await producer.ready();
    sends.push(...send(2_000));
    let isReady = false;
    const ready = producer.ready().then(() => (isReady = true));
    for (let i = 0; i < 5; i++) await turn();
    expect(isReady).toBe(false);
    api.onProduce = (_, append) => append();
    for (const release of held) release();
    await ready;
    await Promise.all(sends);
  });

  test("ready() keeps a partition busy with records longer than a batch", async () => {
    const producer = client().producer("t");
    await producer.send({ value: "" });
    const held = hold();
    const sends: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      await producer.ready();
      sends.push(producer.send({ value: new Uint8Array(3 << 20) }));
    }
    while (held.length < 4) await turn(); // the last one is in an open batch
    api.onProduce = (_, append) => append();
    for (const release of held) release();
    await Promise.all(sends);
  });

  test("refused records give their room back", async () => {
    const producer = client().producer("none", { maxBufferedBytes: 100 });
    for (let i = 0; i < 5; i++) {
      await expect(producer.send({ value: "x".repeat(80) })).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    }
  });

  test("sendMany pulls only what fits", async () => {
    let pulled = 0;
    function* records() {
      for (; pulled < 100; pulled++) yield { value: "x".repeat(84) };
    }
    const held = hold();
    const producer = client().producer("t", { maxBufferedBytes: 1000, lingerMs: 60_000 });
    const sending = producer.sendMany(records());
    while (held.length === 0) await turn();
    await turn();
    expect(pulled).toBeLessThanOrEqual(11);
    api.onProduce = (_, append) => append();
    held.shift()!();
    expect(await sending).toEqual({
      topic: "t",
      count: 100,
      partitions: [{ partition: 0, count: 100, offset: 0, nextOffset: 100 }],
    });
  });

  test("sendMany reads no more than keeps the partition busy", async () => {
    let pulled = 0;
    function* records() {
      for (; pulled < 20_000; pulled++) yield { value: "x".repeat(500) };
    }
    const producer = client().producer("t");
    await producer.send({ value: "" });
    const held = hold();
    const sending = producer.sendMany(records());
    for (let i = 0; i < 50; i++) await turn();
    expect(pulled).toBeGreaterThan(5_000);
    expect(pulled).toBeLessThan(8_000);
    api.onProduce = (_, append) => append();
    for (const release of held) release();
    expect(await sending).toMatchObject({ count: 20_000 });
  });

  test("sendMany does not wait for the linger time of batches that fill its buffer", async () => {
    const producer = client().producer("many", { maxBufferedBytes: 1_000_000, lingerMs: 60_000 });
    const records = Array.from({ length: 4_000 }, (_, i) => ({ value: "x".repeat(234), partition: i % 4 }));
    expect(await producer.sendMany(records)).toMatchObject({ count: 4_000 });
  });

  test("sendMany stops at the first failure, and refuses what never fits", async () => {
    const producer = client().producer("t", { value: json<unknown>(), maxBufferedBytes: 1000 });
    const values = [1, undefined, 3].map((value) => ({ value }));
    await expect(producer.sendMany(values)).rejects.toMatchObject({ code: "INVALID_VALUE" });
    expect(api.values("t")).toEqual(["1"]);
    await expect(producer.sendMany([{ value: "x".repeat(2000) }])).rejects.toMatchObject({ code: "BUFFER_FULL" });
    async function* broken() {
      yield { value: 4 };
      throw new Error("mine");
    }
    await expect(producer.sendMany(broken())).rejects.toThrow("mine");
    expect(api.values("t")).toEqual(["1", "4"]);
  });
});

describe("failures", () => {
  test("a batch whose ack was lost is sent again and appended once", async () => {
    let failures = 2;
    api.onProduce = (_, append) => {
      const ack = append();
      if (failures-- > 0) throw new UnavailableError("gone");
      return ack;
    };
    const producer = client().producer("t");
    const acks = await Promise.all([producer.send({ value: "a" }), producer.send({ value: "b" })]);
    expect(acks.map(({ offset }) => offset)).toEqual([0, 1]);
    expect(api.produced.length).toBe(3);
    expect(new Set(api.produced.map(({ batches }) => Buffer.from(batches).toString("hex"))).size).toBe(1);
    expect(api.values("t")).toEqual(["a", "b"]);
  });

  test("a log that frees a batch and loses its ack is told of, and what follows is sent", async () => {
    let isLost = false;
    api.onProduce = ({ batches }, append) => {
      if (isLost) return append();
      isLost = true;
      (batches.buffer as ArrayBuffer).transfer(0);
      throw new UnavailableError("the ack was lost");
    };
    const [producer, appender] = [client().producer("t"), client()];
    const freed = { code: "INTERNAL", message: expect.stringContaining("isOwned: false") };
    await expect(producer.send({ value: "a" })).rejects.toMatchObject(freed);
    await producer.send({ value: "b" });
    isLost = false;
    await expect(appender.append("t", 0, [{ value: "c" }])).rejects.toMatchObject(freed);
    await appender.append("t", 0, [{ value: "d" }]);
    expect(api.values("t")).toEqual(["b", "d"]);
  });

  test("an ack that is lost after those of later batches have come", async () => {
    const producer = client().producer("t", { batchBytes: 100 });
    await producer.send({ value: "0" });
    let calls = 0;
    api.onProduce = async (_, append) => {
      const call = calls++;
      const ack = append();
      if (call === 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new UnavailableError("gone");
      }
      return ack;
    };
    const acks = await Promise.all(Array.from({ length: 20 }, (_, i) => producer.send({ value: `${i}`.repeat(60) })));
    expect(acks.map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(api.values("t").length).toBe(21);
  });

  test("what could not follow a lost batch is sent again behind it", async () => {
    const producer = client().producer("t", { batchBytes: 100 });
    await producer.send({ value: "0" });
    let calls = 0;
    api.onProduce = (_, append) => {
      if (calls++ === 0) throw new UnavailableError("gone");
      return append();
    };
    await Promise.all([1, 2, 3].map((i) => producer.send({ value: `${i}`.repeat(60) })));
    expect(api.values("t").map(([first]) => first)).toEqual(["0", "1", "2", "3"]);
  });

  test("a final error takes those in flight behind it along; then a new epoch goes on", async () => {
    const producer = client().producer("t", { batchBytes: 100 });
    await producer.send({ value: "0" });
    let calls = 0;
    api.onProduce = (_, append) => {
      if (calls++ === 0) throw new BatchTooLargeError("no");
      return append();
    };
    const sends = [1, 2, 3, 4, 5, 6, 7].map((i) => producer.send({ value: `${i}`.repeat(60) }));
    const outcomes = await Promise.allSettled(sends);
    const codes = outcomes.map((one) => (one.status === "rejected" ? one.reason.code : one.value.offset));
    const refused = "OUT_OF_ORDER_SEQUENCE";
    expect(codes).toEqual(["BATCH_TOO_LARGE", refused, refused, refused, refused, 1, 2]);
    expect(api.values("t").map(([first]) => first)).toEqual(["0", "6", "7"]);
    expect(RecordBatch.parse(api.produced.at(-1)!.batches)).toMatchObject({ producerEpoch: 1, baseSequence: 1 });
  });

  test("a batch that fails rejects each of its callers once", async () => {
    api.onProduce = () => {
      throw new InvalidArgumentError("no");
    };
    const producer = client().producer("t");
    const two = () => producer.sendMany([{ value: "" }, { value: "" }]);
    const outcomes = await Promise.allSettled([two(), producer.send({ value: "" }), two()]);
    expect(outcomes.map((one) => one.status === "rejected" && one.reason.code)).toEqual(
      Array.from({ length: 3 }, () => "INVALID_ARGUMENT"),
    );
  });

  test("partitions fail apart", async () => {
    api.onProduce = ({ partition }, append) => {
      if (partition === 1) throw new BatchTooLargeError("no");
      return append();
    };
    const producer = client().producer("many");
    const [bad, good] = await Promise.allSettled([1, 2].map((partition) => producer.send({ value: "", partition })));
    expect(bad).toMatchObject({ status: "rejected", reason: { code: "BATCH_TOO_LARGE" } });
    expect(good).toMatchObject({ value: { partition: 2, offset: 0 } });
  });

  test("a record is given up after its delivery timeout, whether refused or never answered", async () => {
    api.onProduce = () => {
      throw new UnavailableError("gone");
    };
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const producer = client().producer("t", { deliveryTimeoutMs: 120 });
    const refused = expect(producer.send({ value: "a" })).rejects.toMatchObject({
      code: "DELIVERY_TIMEOUT",
      cause: { code: "UNAVAILABLE" },
    });
    await vi.advanceTimersByTimeAsync(120);
    await refused;
    api.onProduce = () => new Promise(() => {});
    const unanswered = expect(producer.send({ value: "b" })).rejects.toMatchObject({ code: "DELIVERY_TIMEOUT" });
    await vi.advanceTimersByTimeAsync(120);
    await unanswered;
    vi.useRealTimers();
    api.onProduce = (_, append) => append();
    expect(await producer.send({ value: "c" })).toMatchObject({ offset: 0 });
    expect(RecordBatch.parse(api.produced.at(-1)!.batches)).toMatchObject({ producerEpoch: 2, baseSequence: 0 });
  });
});

describe("flush and close", () => {
  test("flush waits for what was accepted, also while the topic is still unknown, and survives failures", async () => {
    const producer = client().producer("t", { value: json<unknown>() });
    let settled = 0;
    const sends = [1, undefined, 3].map((value) => producer.send({ value }).finally(() => settled++));
    sends.map((send) => send.catch(() => {}));
    await producer.flush();
    await turn();
    expect(settled).toBe(3);
  });

  test("close settles what was accepted and refuses the rest", async () => {
    const all = client();
    const producer = all.producer("t");
    const sends = [1, 2, 3].map(() => producer.send({ value: "x" }));
    const closed = producer.close();
    await expect(producer.send({ value: "late" })).rejects.toMatchObject({ code: "CLOSED" });
    await expect(producer.sendMany([{ value: "late" }])).rejects.toMatchObject({ code: "CLOSED" });
    await closed;
    await Promise.all(sends);
    expect(api.values("t")).toEqual(["x", "x", "x"]);
    await all.close();
  });

  test.each(["producer", "client"])(
    "close of the %s gives up after two minutes what has no limit of its own",
    async (whose) => {
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      hold();
      const all = client();
      const producer = all.producer("t", { deliveryTimeoutMs: Number.POSITIVE_INFINITY });
      const refused = expect(producer.send({ value: "x" })).rejects.toMatchObject({ code: "DELIVERY_TIMEOUT" });
      const closed = (whose === "producer" ? producer : all).close();
      await vi.advanceTimersByTimeAsync(120_000);
      await Promise.all([closed, refused]);
    },
  );

  test("records that wait for the topic's description are given up by close, and after their delivery timeout", async () => {
    api.onDescribe = () => new Promise(() => {});
    const hasty = client().producer("t", { deliveryTimeoutMs: 20 });
    const refusal = { code: "DELIVERY_TIMEOUT", message: expect.stringContaining("was not described within 20 ms") };
    await expect(hasty.send({ value: "x" })).rejects.toMatchObject(refusal);
    const producer = client().producer("t");
    const refused = Promise.all(
      ["a", "b"].map((value) => expect(producer.send({ value })).rejects.toMatchObject({ code: "DELIVERY_TIMEOUT" })),
    );
    await turn();
    await producer.close({ timeoutMs: 10 });
    await refused;
  });

  test("closing the client closes its producers; both can be disposed of", async () => {
    let send: Promise<unknown>;
    {
      await using all = client();
      await using producer = all.producer("t");
      send = producer.send({ value: "x" });
      all.producer("t");
    }
    expect(api.values("t")).toEqual(["x"]);
    await send;
  });
});
