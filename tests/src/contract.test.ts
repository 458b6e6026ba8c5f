/** The guarantees for producers and consumers, in every home. */
import { type ConsumerRecord, json, type LogClient, text } from "@logstore/client";
import { RecordBatch } from "@logstore/codec";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealedBatch, utf8 } from "./bytes.ts";
import { eventually } from "./eventually.ts";
import { contractHomes, type Home, stopShared, withoutFiles } from "./homes.ts";

afterAll(stopShared);

describe.each(Object.entries(contractHomes))("%s", (name, openHome) => {
  /** Snapshots of topics are files. */
  const testFiles = test.skipIf(withoutFiles.has(name));
  /** The default, and the strongest that there is. */
  const strongest = withoutFiles.has(name) ? "written" : "flushed";
  const durabilities = withoutFiles.has(name) ? ["written"] : ["written", "flushed"];

  let home: Home;
  let client: LogClient;

  beforeEach(async () => {
    home = await openHome();
    client = home.client;
  });

  afterEach(() => home.close());

  /** Returns every record of a topic up to its current end, by partition. */
  async function readAll(topic: string, from: number | "earliest" | { time: number } = "earliest") {
    const { partitions } = await client.describeTopic(topic);
    const reader = client.reader({
      assign: { [topic]: partitions.map(({ partition }) => partition) },
      from,
      until: "latest",
      key: text(),
      value: text(),
    });
    const records = [];
    for await (const record of reader) records.push(record);
    return records;
  }

  test("topics are created, listed by name and described", async () => {
    await client.createTopic("b", { partitions: 2 });
    const created = await client.createTopic("a", { partitions: 1 });
    expect(created).toEqual({
      topic: "a",
      topicId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      partitioner: "fnv1a-32",
      partitions: [{ partition: 0, logStartOffset: 0, highWatermark: 0, logEndOffset: 0 }],
      config: {},
      effectiveConfig: { durability: strongest, segmentBytes: 64 * 2 ** 20, maxBatchBytes: 16 * 2 ** 20 },
      durabilities,
    });
    expect(await client.listTopics()).toEqual([
      { topic: "a", topicId: created.topicId, partitionCount: 1 },
      { topic: "b", topicId: expect.any(String), partitionCount: 2 },
    ]);
    await client.producer("b").send({ value: "x", partition: 1 });
    const { partitions } = await client.describeTopic("b");
    expect(partitions.map(({ highWatermark }) => highWatermark)).toEqual([0, 1]);
  });

  test("a topic tells the durabilities that it offers, weakest first, and refuses any other", async () => {
    const described = await client.createTopic("t", { partitions: 1 });
    expect(described.durabilities).toEqual(durabilities);
    for (const durability of described.durabilities) {
      const ack = await client.append("t", 0, [{ value: "x" }], { durability });
      expect(described.durabilities.indexOf(ack.durability)).toBeGreaterThanOrEqual(durabilities.indexOf(durability));
    }
    const refused = expect.objectContaining({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("durability is"),
    });
    for (const durability of ["written", "replicated", "flushed"] as const) {
      if (durabilities.includes(durability)) continue;
      await expect(client.append("t", 0, [{ value: "x" }], { durability })).rejects.toEqual(refused);
      await expect(client.producer("t", { durability }).send({ value: "x" })).rejects.toEqual(refused);
      await expect(client.createTopic("u", { partitions: 1, durability })).rejects.toEqual(refused);
      await expect(client.alterTopicConfig("t", { durability })).rejects.toEqual(refused);
    }
    expect((await client.describeTopic("t")).partitions[0]!.logEndOffset).toBe(durabilities.length);
  });

  test("the server reports its limits", async () => {
    await client.createTopic("large", { partitions: 1, maxBatchBytes: 100 * 2 ** 20 });
    const { limits } = await client.describeServer();
    expect(limits.maxBatchBytes).toBeGreaterThanOrEqual(16 * 2 ** 20);
    expect(limits.maxRecordsBytes).toBe(100 * 2 ** 20);
  });

  test("a record that is read equals the one sent, at the offset of its ack", async () => {
    await client.createTopic("t", { partitions: 1 });
    const producer = client.producer("t");
    const headers = [
      { name: "trace", value: "abc" },
      { name: "trace", value: new Uint8Array([0, 255]) },
    ];
    const ack = await producer.send({ key: "clé", value: new Uint8Array([1, 2, 3]), timestamp: -5, headers });
    expect(ack).toEqual({ topic: "t", partition: 0, offset: 0, nextOffset: 1, durability: strongest });
    await producer.send({ value: "" });
    const reader = client.reader({ assign: { t: [0] }, until: "latest" });
    const records = [];
    for await (const { offset, timestamp, key, value, headers } of reader) {
      const seen = headers.map(({ name, value }) => [name, [...value]]);
      records.push({ offset, timestamp, key: utf8(key), value: [...value], headers: seen });
    }
    expect(records[0]).toEqual({
      offset: 0,
      timestamp: -5,
      key: "clé",
      value: [1, 2, 3],
      headers: [
        ["trace", [97, 98, 99]],
        ["trace", [0, 255]],
      ],
    });
    expect(records[1]).toMatchObject({ offset: 1, key: null, value: [], headers: [] });
  });

  test("records of a key stay in one partition, in order; all partitions are used", async () => {
    await client.createTopic("t", { partitions: 5 });
    const producer = client.producer("t", { batchBytes: 200 });
    const acks = await Promise.all(
      Array.from({ length: 500 }, (_, i) => producer.send({ key: `key-${i % 25}`, value: String(i) })),
    );
    expect(new Set(acks.map(({ partition }) => partition)).size).toBe(5);
    const records = await readAll("t");
    expect(records).toHaveLength(500);
    for (let key = 0; key < 25; key++) {
      const mine = records.filter((record) => record.key === `key-${key}`);
      expect(new Set(mine.map(({ partition }) => partition)).size).toBe(1);
      expect(mine.map(({ value }) => Number(value))).toEqual(Array.from({ length: 20 }, (_, i) => i * 25 + key));
    }
    for (const [i, { partition, offset }] of acks.entries()) {
      expect(records.find((record) => record.partition === partition && record.offset === offset)?.value).toBe(
        String(i),
      );
    }
  });

  test("records without a key are spread evenly", async () => {
    await client.createTopic("t", { partitions: 4 });
    const producer = client.producer("t");
    for (let i = 0; i < 40; i++) await Promise.all(Array.from({ length: 10 }, () => producer.send({ value: "x" })));
    const few = await client.describeTopic("t");
    expect(few.partitions.map(({ highWatermark }) => highWatermark)).toEqual([100, 100, 100, 100]);
    const busy = client.producer("t", { batchBytes: 2_000 });
    await busy.sendMany(Array.from({ length: 4_000 }, () => ({ value: "x".repeat(84) })));
    const many = await client.describeTopic("t");
    for (const { highWatermark } of many.partitions) expect(Math.abs(highWatermark - 1_100)).toBeLessThanOrEqual(20);
  });

  test("an append at the expected offset succeeds, any other appends nothing", async () => {
    await client.createTopic("t", { partitions: 2 });
    const first = await client.append(
      "t",
      1,
      [
        { key: "cart-1", value: "opened" },
        { key: "cart-1", value: "filled" },
      ],
      {
        expectedOffset: 0,
      },
    );
    expect(first).toEqual({ topic: "t", partition: 1, offset: 0, nextOffset: 2, durability: strongest });
    const tries = await Promise.allSettled(
      ["paid", "emptied"].map((value) => client.append("t", 1, [{ value }], { expectedOffset: first.nextOffset })),
    );
    expect(tries).toMatchObject([
      { status: "fulfilled", value: { offset: 2, nextOffset: 3 } },
      {
        status: "rejected",
        reason: { code: "WRONG_EXPECTED_OFFSET", topic: "t", partition: 1, expected: 2, actual: 3 },
      },
    ]);
    await client.append("t", 1, [{ value: "shipped" }], { expectedOffset: 3 });
    expect((await readAll("t")).map(({ value }) => value)).toEqual(["opened", "filled", "paid", "shipped"]);
  });

  test.each(["none", "gzip", "zstd"] as const)("compression %s does not affect what is read", async (compression) => {
    await client.createTopic("t", { partitions: 1 });
    const producer = client.producer("t", { compression });
    const values = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(20));
    await Promise.all(values.map((value) => producer.send({ key: "k", value })));
    expect((await readAll("t")).map(({ value }) => value)).toEqual(values);
  });

  test("reading starts at any offset, including within a batch", async () => {
    await client.createTopic("t", { partitions: 1 });
    await home.api.produce({ topic: "t", partition: 0, batches: sealedBatch(["0", "1", "2", "3"]) });
    await home.api.produce({ topic: "t", partition: 0, batches: sealedBatch(["4", "5"]) });
    for (let from = 0; from <= 6; from++) {
      const values = (await readAll("t", from)).map(({ value }) => Number(value));
      expect(values).toEqual([0, 1, 2, 3, 4, 5].slice(from));
    }
  });

  test("reading starts at a time: at the first record appended at or after it", async () => {
    await client.createTopic("t", { partitions: 1 });
    await home.api.produce({ topic: "t", partition: 0, batches: sealedBatch(["early"]) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const time = Date.now();
    await home.api.produce({ topic: "t", partition: 0, batches: sealedBatch(["late"]) });
    expect((await readAll("t", { time })).map(({ value }) => value)).toEqual(["late"]);
    expect(await readAll("t", { time: time + 1e9 })).toEqual([]);
    const positions = ["earliest", "latest", { time: 0 }, { time }, { time: time + 1e9 }, 1] as const;
    const found = await client.listOffsets(
      "t",
      positions.map((position) => ({ partition: 0, position })),
    );
    expect(found.map(({ offset }) => offset)).toEqual([0, 2, 0, 1, 2, 1]);
  });

  test("a reader at the end receives new records, and knows its lag", async () => {
    await client.createTopic("t", { partitions: 2 });
    const reader = client.reader({ assign: { t: [0, 1] }, value: json<{ n: number }>() });
    const producer = client.producer("t", { value: json<{ n: number }>() });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { value } of reader) {
        seen.push(value.n);
        if (seen.length === 3) break;
      }
    })();
    for (let n = 0; n < 3; n++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await producer.send({ value: { n } });
    }
    await reading;
    expect(seen.toSorted()).toEqual([0, 1, 2]);
    expect([reader.position("t", 0), reader.position("t", 1)]).toEqual([2, 1]);
    expect([reader.lag("t", 0), reader.lag("t", 1)]).toEqual([0, 0]);
  });

  test("batches arrive whole, as their producer sealed them", async () => {
    await client.createTopic("t", { partitions: 1 });
    const batch = sealedBatch(["a", "b", "c"], { producerId: 7, producerEpoch: 0, baseSequence: 0 });
    const sealed = Uint8Array.from(batch);
    await home.api.produce({ topic: "t", partition: 0, batches: batch });
    for await (const { bytes, baseOffset, nextOffset } of client
      .reader({ assign: { t: [0] }, until: "latest" })
      .batches()) {
      expect([baseOffset, nextOffset]).toEqual([0, 3]);
      const SERVER_HALF_LENGTH = 36;
      expect([...bytes.subarray(SERVER_HALF_LENGTH)]).toEqual([...sealed.subarray(SERVER_HALF_LENGTH)]);
    }
  });

  test("a reader and a group member read the same records in chunks", async () => {
    await client.createTopic("t", { partitions: 2 });
    for (const partition of [0, 1]) {
      for (const values of [["a", "b", "c"], ["d"]]) {
        await home.api.produce({ topic: "t", partition, batches: sealedBatch(values) });
      }
    }
    const seenIn = async (chunks: AsyncIterable<ConsumerRecord<string>[]>) => {
      const seen: string[] = [];
      for await (const records of chunks) {
        expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
        for (const { partition, offset, value } of records) seen.push(`${partition}:${offset} ${value}`);
        if (seen.length === 8) break;
      }
      return seen.sort();
    };
    const all = [0, 1].flatMap((p) => [`${p}:0 a`, `${p}:1 b`, `${p}:2 c`, `${p}:3 d`]);
    expect(await seenIn(client.reader({ topics: ["t"], value: text() }).chunks())).toEqual(all);
    const member = client.consumer({ group: "g", topics: ["t"], value: text() });
    expect(await seenIn(member.chunks())).toEqual(all);
  });

  test("a batch that is resent is appended once, and gets its original ack", async () => {
    await client.createTopic("t", { partitions: 1 });
    const send = (value: string, baseSequence: number) => {
      const batches = sealedBatch([value], { producerId: 42, producerEpoch: 0, baseSequence });
      return home.api.produce({ topic: "t", partition: 0, batches });
    };
    const first = await send("a", 0);
    const second = await send("b", 1);
    expect(second).toMatchObject({ baseOffset: 1, nextOffset: 2, duplicate: false });
    expect(await send("a", 0)).toEqual({ ...first, duplicate: true, logEndOffset: 2 });
    await expect(send("d", 3)).rejects.toMatchObject({ code: "OUT_OF_ORDER_SEQUENCE", expected: 2, actual: 3 });
    expect((await readAll("t")).map(({ value }) => value)).toEqual(["a", "b"]);
  });

  test("records of several MiB go through", async () => {
    await client.createTopic("t", { partitions: 1 });
    const producer = client.producer("t");
    const value = new Uint8Array(9 * 1024 * 1024).fill(7);
    await producer.send({ value });
    await producer.send({ value: "small" });
    const sizes: number[] = [];
    for await (const record of client.reader({ assign: { t: [0] }, until: "latest" })) sizes.push(record.value.length);
    expect(sizes).toEqual([value.length, 5]);
  });

  test("many batches arrive in several messages, without loss or repetition", async () => {
    await client.createTopic("t", { partitions: 1 });
    for (let i = 0; i < 200; i++) {
      await home.api.produce({
        topic: "t",
        partition: 0,
        batches: sealedBatch([`${i}-a`, "x".repeat(5_000), `${i}-b`]),
      });
    }
    const offsets: number[] = [];
    for await (const event of home.api.consume({ topic: "t", partition: 0, until: "latest", maxBytes: 20_000 })) {
      if (event.type !== "batches") continue;
      expect(event.batches.length).toBeLessThanOrEqual(20_000);
      for (let at = 0; at < event.batches.length; ) {
        const batch = RecordBatch.parse(event.batches, at);
        for (const { offset } of batch.verify()) offsets.push(offset);
        at += batch.byteLength;
      }
    }
    expect(offsets).toEqual(Array.from({ length: 600 }, (_, i) => i));
  });

  test("a topic's configuration is altered at once, and can be reset to the broker's", async () => {
    const { config } = await client.createTopic("t", { partitions: 1, retentionMs: 5_000, durability: "written" });
    expect(config).toEqual({ retentionMs: 5_000, durability: "written" });
    expect(await client.producer("t").send({ value: "x" })).toMatchObject({ durability: "written" });
    const change = { durability: strongest, retentionMs: null, segmentBytes: 2 ** 30 } as const;
    const altered = { durability: strongest, segmentBytes: 2 ** 30 };
    expect(await client.alterTopicConfig("t", change)).toEqual(altered);
    expect(await client.describeTopic("t")).toMatchObject({
      config: altered,
      effectiveConfig: { maxBatchBytes: 16 * 2 ** 20, ...altered },
    });
    expect(await client.producer("t").send({ value: "x" })).toMatchObject({ durability: strongest });
    await client.alterTopicConfig("t", { maxBatchBytes: 1_000 });
    const big = home.api.produce({ topic: "t", partition: 0, batches: sealedBatch(["x".repeat(2_000)]) });
    await expect(big).rejects.toMatchObject({ code: "BATCH_TOO_LARGE", expected: 1_000 });
  });

  test.each([
    [{ retentionMs: -1 }, "INVALID_ARGUMENT"],
    [{ segmentBytes: 1.5 }, "INVALID_ARGUMENT"],
    [{ durability: "maybe" as "flushed" }, "INVALID_ARGUMENT"],
    [{ cleanupPolicy: "compact" } as object, "INVALID_ARGUMENT"],
  ])("%o is no configuration: refused, and nothing is changed", async (change, code) => {
    await client.createTopic("t", { partitions: 1, retentionMs: 7 });
    await expect(client.alterTopicConfig("t", { ...change, retentionBytes: 9 })).rejects.toMatchObject({ code });
    await expect(client.createTopic("u", { partitions: 1, ...change })).rejects.toMatchObject({ code });
    expect(await client.describeTopic("t")).toMatchObject({ config: { retentionMs: 7 } });
    expect(await client.listTopics()).toHaveLength(1);
  });

  test("a deleted topic is gone, also for its readers; its name is free", async () => {
    await client.createTopic("t", { partitions: 1 });
    const events = home.api.consume({ topic: "t", partition: 0 })[Symbol.asyncIterator]();
    expect(await events.next()).toMatchObject({ value: { type: "caughtUp" } });
    const ended = expect(events.next()).rejects.toMatchObject({
      code: expect.stringMatching(/^(CLOSED|UNAVAILABLE)$/),
    });
    await client.deleteTopic("t");
    await ended;
    await expect(client.describeTopic("t")).rejects.toMatchObject({ code: "UNKNOWN_TOPIC", topic: "t" });
    await expect(client.deleteTopic("t")).rejects.toMatchObject({ code: "UNKNOWN_TOPIC", topic: "t" });
    await client.createTopic("t", { partitions: 3 });
    expect(await readAll("t")).toEqual([]);
  });

  test("records are deleted up to an offset, a time, or all; readers continue at the log start", async () => {
    await client.createTopic("t", { partitions: 1 });
    const append = (value: string) => home.api.produce({ topic: "t", partition: 0, batches: sealedBatch([value]) });
    for (const value of ["a", "b", "c"]) await append(value);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const time = Date.now();
    await append("d");
    expect(await client.deleteRecords("t", 0, 1)).toBe(1);
    expect((await readAll("t")).map(({ value }) => value)).toEqual(["b", "c", "d"]);
    const exact = home.api.consume({ topic: "t", partition: 0, from: 0 })[Symbol.asyncIterator]();
    await expect(exact.next()).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE", expected: 1 });
    expect(await client.deleteRecords("t", 0, { time })).toBe(3);
    expect(await client.deleteRecords("t", 0, 0)).toBe(3);
    expect(await client.deleteRecords("t", 0, "latest")).toBe(4);
    await expect(client.deleteRecords("t", 0, 5)).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE", topic: "t" });
    await expect(client.deleteRecords("t", 9, 0)).rejects.toMatchObject({ code: "UNKNOWN_PARTITION", partition: 9 });
    const { partitions } = await client.describeTopic("t");
    expect(partitions[0]).toEqual({ partition: 0, logStartOffset: 4, highWatermark: 4, logEndOffset: 4 });
  });

  test("every response has the end of the log", async () => {
    await client.createTopic("t", { partitions: 1 });
    const batches = () => sealedBatch(["a", "b"]);
    await home.api.produce({ topic: "t", partition: 0, batches: batches() });
    const ends = { highWatermark: 4, logEndOffset: 4 };
    const ack = await home.api.produce({ topic: "t", partition: 0, batches: batches() });
    expect(ack).toMatchObject({ baseOffset: 2, nextOffset: 4, logEndOffset: 4 });
    const events = [];
    for await (const event of home.api.consume({ topic: "t", partition: 0 })) {
      events.push(event);
      if (event.type === "caughtUp") break;
    }
    expect(events.length).toBeGreaterThan(1);
    for (const event of events) expect(event).toMatchObject(ends);
    expect(await home.api.fetch({ topic: "t", partition: 0, maxBytes: 1 })).toMatchObject({ nextOffset: 2, ...ends });
    const [found] = await client.listOffsets("t", [{ partition: 0, position: "earliest" }]);
    expect(found).toMatchObject({ partition: 0, offset: 0, logStartOffset: 0, ...ends });
  });

  describe("fetch", () => {
    const append = (value: string) => home.api.produce({ topic: "t", partition: 0, batches: sealedBatch([value]) });
    const valuesIn = (batches: Uint8Array) => {
      const values: (string | null)[] = [];
      for (let at = 0; at < batches.length; ) {
        const batch = RecordBatch.parse(batches, at).verify();
        for (const record of batch) values.push(utf8(record.value));
        at += batch.byteLength;
      }
      return values;
    };

    beforeEach(() => client.createTopic("t", { partitions: 1 }));

    test("returns what is available at once: whole batches, and the next offset", async () => {
      for (const value of ["a", "b", "c"]) await append(value.repeat(1_000));
      const first = await home.api.fetch({ topic: "t", partition: 0, maxBytes: 2_500 });
      expect(valuesIn(first.batches)).toEqual(["a".repeat(1_000), "b".repeat(1_000)]);
      expect(first).toMatchObject({ nextOffset: 2, logStartOffset: 0, highWatermark: 3 });
      const second = await home.api.fetch({ topic: "t", partition: 0, from: first.nextOffset, maxBytes: 1 });
      expect(valuesIn(second.batches)).toEqual(["c".repeat(1_000)]); // a single batch may exceed the limit
      const third = await home.api.fetch({ topic: "t", partition: 0, from: second.nextOffset });
      expect([third.nextOffset, third.batches.length]).toEqual([3, 0]);
      await expect(home.api.fetch({ topic: "t", partition: 0, from: 4 })).rejects.toMatchObject({
        code: "OFFSET_OUT_OF_RANGE",
        topic: "t",
        expected: 3,
      });
    });

    test("waits for the minimum size, but no longer than its time limit", async () => {
      const waiting = home.api.fetch({ topic: "t", partition: 0, minBytes: 2_000, maxWaitMs: 30_000 });
      await append("a".repeat(1_000));
      await append("b".repeat(1_000));
      expect(valuesIn((await waiting).batches)).toHaveLength(2);
      await append("c");
      const short = { topic: "t", partition: 0, minBytes: 2_000, maxWaitMs: 60 };
      const some = await home.api.fetch({ ...short, from: 2 });
      expect(valuesIn(some.batches)).toEqual(["c"]);
      const none = await home.api.fetch({ ...short, from: "latest" });
      expect([none.nextOffset, none.batches.length]).toEqual([3, 0]);
    });

    test("its signal ends the wait", async () => {
      const abort = new AbortController();
      const request = { topic: "t", partition: 0, maxWaitMs: 30_000 };
      const waiting = home.api.fetch(request, { signal: abort.signal }).catch((error: unknown) => error);
      await new Promise((resolve) => setTimeout(resolve, 20));
      abort.abort();
      await waiting;
    });
  });

  test("producer ids are allocated once", async () => {
    const ids = await Promise.all([home.api.allocateProducerId(), home.api.allocateProducerId()]);
    expect(new Set([...ids, await home.api.allocateProducerId()]).size).toBe(3);
    for (const id of ids) expect(id).toBeGreaterThan(0);
  });

  testFiles(
    "a snapshot is made while records are appended, outlives its topic, and can be restored as a topic",
    async () => {
      await client.createTopic("t", { partitions: 3, segmentBytes: 1000 });
      const producer = client.producer("t", { batchBytes: 300 });
      let isDone = false;
      let sent = 0;
      const sendSome = () => Promise.all(Array.from({ length: 20 }, () => producer.send({ value: String(sent++) })));
      await sendSome();
      const sending = (async () => {
        while (!isDone) await sendSome();
      })();
      const made = await client.createSnapshot("t", "monday");
      await client.createSnapshot("t", "again");
      isDone = true;
      await sending;
      expect(made).toMatchObject({ topic: "t", snapshot: "monday", createdAt: expect.any(Number) });
      expect(made.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2]);
      expect(made.partitions.reduce((sum, { logEndOffset }) => sum + logEndOffset, 0)).toBeGreaterThanOrEqual(20);
      const listed = await client.listSnapshots("t");
      expect(listed.map(({ snapshot }) => snapshot)).toEqual(["again", "monday"]);
      expect(listed[1]).toEqual(made);
      const before = await readAll("t");
      await client.deleteTopic("t");
      const restored = await client.restoreSnapshot("t", "monday", "u");
      expect(restored).toMatchObject({ topic: "u", config: { segmentBytes: 1000 } });
      const place = ({ partition, offset, value }: { partition: number; offset: number; value: string }) =>
        `${partition}:${offset} ${value}`;
      const isInIt = ({ partition, offset }: { partition: number; offset: number }) =>
        offset < made.partitions[partition]!.logEndOffset;
      expect((await readAll("u")).map(place).sort()).toEqual(before.filter(isInIt).map(place).sort());
      const { offset } = await client.producer("u").send({ value: "on", partition: 1 });
      expect(offset).toBe(made.partitions[1]!.logEndOffset);
      await client.deleteSnapshot("t", "again");
      expect(await client.listSnapshots()).toEqual([made]);
    },
  );

  test("a program that needs a topic ensures it at each start", async () => {
    const [created, meanwhile] = await Promise.all([
      client.ensureTopic("t", { partitions: 2, retentionMs: 1_000_000 }),
      client.ensureTopic("t", { partitions: 2, retentionMs: 1_000_000 }),
    ]);
    expect(meanwhile).toEqual(created);
    expect(created).toMatchObject({ topic: "t", config: { retentionMs: 1_000_000 }, partitions: [{}, {}] });
    // What is left out may be anything, and a server's own value may be named.
    const { durability, maxBatchBytes } = created.effectiveConfig;
    for (const options of [{}, { partitions: 2 }, { retentionMs: 1_000_000 }, { durability, maxBatchBytes }]) {
      expect(await client.ensureTopic("t", options)).toEqual(created);
    }
    await expect(client.ensureTopic("t", { partitions: 3 })).rejects.toMatchObject({
      code: "TOPIC_EXISTS",
      topic: "t",
      expected: 3,
      actual: 2,
      message: expect.stringContaining("2 partitions, not 3"),
    });
    await expect(client.ensureTopic("t", { retentionMs: 2_000_000, retentionBytes: 5 })).rejects.toMatchObject({
      code: "TOPIC_EXISTS",
      topic: "t",
      message: expect.stringMatching(/retentionMs 1000000 instead of 2000000, retentionBytes not set instead of 5/),
    });
    expect(await client.describeTopic("t")).toEqual(created);
    await expect(client.createTopic("t", { partitions: 2 })).rejects.toMatchObject({ code: "TOPIC_EXISTS" });
    expect((await client.ensureTopic("u")).partitions).toHaveLength(1);
  });

  testFiles("missing and existing snapshots have different errors", async () => {
    await client.createTopic("t", { partitions: 1 });
    await client.createSnapshot("t", "s");
    const failures = [
      [() => client.createSnapshot("t", "s"), "SNAPSHOT_EXISTS"],
      [() => client.createSnapshot("nobody", "s"), "UNKNOWN_TOPIC"],
      [() => client.createSnapshot("t", "../s"), "INVALID_ARGUMENT"],
      [() => client.deleteSnapshot("t", "none"), "UNKNOWN_SNAPSHOT"],
      [() => client.restoreSnapshot("t", "none", "u"), "UNKNOWN_SNAPSHOT"],
      [() => client.restoreSnapshot("t", "s", "t"), "TOPIC_EXISTS"],
      [() => client.listSnapshots(".."), "INVALID_ARGUMENT"],
    ] as const;
    for (const [failure, code] of failures) await expect(failure()).rejects.toMatchObject({ code });
    expect(await client.listSnapshots("nobody")).toEqual([]);
  });

  describe("a topic that is deleted and recreated", () => {
    const OTHER = { code: "INCONSISTENT_TOPIC_ID", topic: "t" };
    let topicId: string;

    /**
     * The old topic gets records and a commit, and is replaced by one with a different number of
     * partitions, which gets records, too.
     */
    beforeEach(async () => {
      ({ topicId } = await client.createTopic("t", { partitions: 1 }));
      await client.append("t", 0, [{ value: "old-0" }, { value: "old-1" }]);
      const offsets = [{ topic: "t", topicId, partition: 0, offset: 2 }];
      expect(await home.api.commitOffsets({ group: "g", offsets })).toEqual([{}]);
    });

    async function remake(partitions = 3): Promise<string> {
      const another = home.another().client;
      await another.deleteTopic("t", { topicId });
      const made = await another.createTopic("t", { partitions });
      for (let partition = 0; partition < partitions; partition++) {
        await another.append(
          "t",
          partition,
          [0, 1, 2].map((i) => ({ value: `new-${i}` })),
        );
      }
      await another.close();
      return made.topicId;
    }

    test("no call for the old one affects the new one", async () => {
      const { api } = home;
      const newId = await remake();
      expect(newId).not.toBe(topicId);
      const before = await client.describeTopic("t");
      const where = { topic: "t", topicId, partition: 0 };
      const refused = (call: Promise<unknown>) => expect(call).rejects.toMatchObject(OTHER);
      await refused(api.produce({ ...where, batches: sealedBatch(["x"]) }));
      await refused(Array.fromAsync(api.consume({ ...where, from: 2 })));
      await refused(api.fetch({ ...where, from: 2 }));
      await refused(api.listOffsets({ topic: "t", topicId, partitions: [{ partition: 0, position: "latest" }] }));
      await refused(client.deleteRecords("t", 0, 2, { topicId }));
      await refused(client.alterTopicConfig("t", { retentionMs: 1 }, { topicId }));
      await refused(client.deleteTopic("t", { topicId }));
      const offsets = [{ ...where, offset: 1 }];
      const [result] = await api.commitOffsets({ group: "g", offsets });
      expect(result).toMatchObject({ error: { ...OTHER, partition: 0 } });
      await refused(client.fetchOffsets("g", [where]));
      await refused(client.resetOffsets("g", { partitions: [where], to: 1 }));
      expect(await client.describeTopic("t")).toEqual(before);
      expect(await client.fetchOffsets("g")).toEqual([]); // the commits went with the old topic
      // With the new id, each of the calls succeeds.
      await api.commitOffsets({ group: "g", offsets: [{ ...where, topicId: newId, offset: 1 }] });
      expect(await client.fetchOffsets("g")).toMatchObject([{ topicId: newId, offset: 1 }]);
      expect((await client.describeGroup("g")).partitions).toMatchObject([{ topicId: newId, committedOffset: 1 }]);
      expect(await client.deleteRecords("t", 0, 2, { topicId: newId })).toBe(2);
    });

    test("a reader does not continue in the new one at its offset in the old one", async () => {
      const seen: string[] = [];
      const read = async (reader: AsyncIterable<{ readonly value: string }>, most = Infinity) => {
        for await (const { value } of reader) if (seen.push(value) >= most) return;
      };
      const away = client.reader({ assign: { t: [0] }, value: text() });
      await read(away, 2);
      const named = client.reader({ assign: { t: [0] }, from: 1, value: text() });
      const running = read(named);
      running.catch(() => {});
      await eventually(() => seen.length === 3);
      await remake();
      await expect(read(away)).rejects.toMatchObject(OTHER);
      // The reader may have looked while there was no topic.
      const code = expect.stringMatching(/^(INCONSISTENT_TOPIC_ID|UNKNOWN_TOPIC|CLOSED)$/);
      await expect(running).rejects.toMatchObject({ code });
      await expect(read(named)).rejects.toMatchObject(OTHER);
      expect(seen).toEqual(["old-0", "old-1", "old-1"]);
      await read(client.reader({ assign: { t: [0] }, until: "latest", value: text() }));
      expect(seen.slice(3)).toEqual(["new-0", "new-1", "new-2"]);
    });

    test("a producer sends nothing to a partition of the old one, and learns those of the new one", async () => {
      const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
      const producer = client.producer("t");
      await Promise.all(keys.map((key) => producer.send({ key, value: "before" })));
      await remake(5);
      const sent = keys.map((key) => producer.send({ key, value: "meanwhile" }));
      for (const each of await Promise.allSettled(sent)) {
        expect(each).toMatchObject({ status: "rejected", reason: OTHER });
      }
      const acks = await Promise.all(keys.map((key) => producer.send({ key, value: "after" })));
      const fresh = await Promise.all(keys.map((key) => client.producer("t").send({ key, value: "fresh" })));
      expect(acks.map(({ partition }) => partition)).toEqual(fresh.map(({ partition }) => partition));
      const values = (await readAll("t")).map(({ value }) => value);
      expect(values.filter((value) => value === "after")).toHaveLength(keys.length);
      expect(values.filter((value) => value === "before" || value === "meanwhile")).toEqual([]);
      // Also with fewer partitions, and when the topic is missing for a while.
      await client.deleteTopic("t");
      await expect(producer.send({ value: "x" })).rejects.toMatchObject({
        code: expect.stringMatching(/^(UNKNOWN_TOPIC|CLOSED)$/),
      });
      await client.createTopic("t", { partitions: 1 });
      expect(await producer.send({ value: "y" })).toMatchObject({ partition: 0, offset: 0 });
      await producer.close();
    });

    test("an append of the client is refused once, whatever offset it expects, and then succeeds in the new one", async () => {
      await remake();
      const append = (value: string) => client.append("t", 0, [{ value }], { expectedOffset: 3 });
      await client.append("t", 1, [{ value: "never asked before" }]);
      await expect(append("stale")).rejects.toMatchObject(OTHER);
      expect(await append("new-3")).toMatchObject({ offset: 3 });
    });
  });
});
