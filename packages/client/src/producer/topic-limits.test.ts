/** A producer respects the limits of its topic, including later changes. */
import { BatchTooLargeError, frameBatches, PermissionDeniedError } from "@logstore/codec";
import type { ProduceAck, ProduceRequest } from "@logstore/protocol";
import { beforeEach, expect, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { connect } from "../connect.js";

const KIB = 1024;
let log: FakeLogApi;
let maxBatchBytes: number;
let largest: number;

beforeEach(async () => {
  log = new FakeLogApi();
  maxBatchBytes = 16 * KIB;
  largest = 0;
  await log.createTopic({ topic: "t", partitions: 1 });
  log.onProduce = (request: ProduceRequest, append: () => ProduceAck) => {
    const actual = request.batches.length;
    if (actual > maxBatchBytes) throw new BatchTooLargeError("too long", { expected: maxBatchBytes, actual });
    largest = Math.max(largest, actual);
    return append();
  };
});

const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: `${i}`.padEnd(100, "x"), timestamp: i }));

function appended(): string[] {
  const values: string[] = [];
  for (const batch of log.topics.get("t")![0]!.batches) {
    for (const framed of frameBatches(batch.bytes)) {
      for (const { value } of framed.verify()) values.push(String(Number.parseInt(Buffer.from(value).toString(), 10)));
    }
  }
  return values;
}

const inOrder = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

test("batches are no longer than the topic takes", async () => {
  log.effectiveConfig = { maxBatchBytes };
  const producer = connect(log).producer("t");
  const acks = await Promise.all(records(1_000).map((record) => producer.send(record)));
  expect(acks.map(({ offset }) => String(offset))).toEqual(inOrder(1_000));
  expect(appended()).toEqual(inOrder(1_000));
  expect(largest).toBeGreaterThan(maxBatchBytes / 2);
  expect(log.produced.filter(({ batches }) => batches.length > maxBatchBytes)).toEqual([]);
});

test("a batch may be larger than the default where the topic takes it", async () => {
  maxBatchBytes = 32 * KIB * KIB;
  log.effectiveConfig = { maxBatchBytes };
  await connect(log)
    .producer("t")
    .send({ value: new Uint8Array(20 * KIB * KIB) });
  expect(largest).toBeGreaterThan(20 * KIB * KIB);
});

test.each(["none", "gzip"] as const)(
  "where the limit was lowered meanwhile, batches are split: each record once and in order (compression %s)",
  async (compression) => {
    const producer = connect(log).producer("t", { compression, maxBufferedBytes: 64 * KIB * KIB });
    await producer.send(records(1)[0]!);
    maxBatchBytes = 2 * KIB;
    const acks = await Promise.all(
      records(3_000)
        .slice(1)
        .map((record) => producer.send(record)),
    );
    expect(acks.map(({ offset }) => String(offset + 0))).toEqual(inOrder(3_000).slice(1));
    expect(appended()).toEqual(inOrder(3_000));
    await producer.close();
  },
);

test("the first batch of a producer is split, too", async () => {
  const producer = connect(log).producer("t");
  await producer.sendMany(records(2_000));
  expect(appended()).toEqual(inOrder(2_000));
  await producer.flush();
});

test("a batch of very many records is split, and each caller learns where its own are", async () => {
  const producer = connect(log).producer("t", { batchBytes: 4 * KIB * KIB });
  await producer.send({ value: "" });
  const sends = Array.from({ length: 300_000 }, () => producer.send({ value: "" }));
  const many = producer.sendMany([{ value: "" }, { value: "" }]);
  maxBatchBytes = 700 * KIB;
  const acks = await Promise.all(sends);
  expect(acks.every(({ offset, nextOffset }, i) => offset === i + 1 && nextOffset === i + 2)).toBe(true);
  expect((await many).partitions).toEqual([{ partition: 0, count: 2, offset: 300_001, nextOffset: 300_003 }]);
  expect(log.produced.length).toBeGreaterThan(2);
});

test("the records of a batch that is split are settled with their part", async () => {
  const producer = connect(log).producer("t");
  await producer.send({ value: "" });
  maxBatchBytes = 2 * KIB;
  const limited = log.onProduce;
  const { promise: held, reject: refuse } = Promise.withResolvers<never>();
  log.onProduce = (request, append) => (log.partition("t", 0).batches.length < 2 ? limited(request, append) : held);
  const value = "x".repeat(600);
  const first = producer.send({ value });
  const many = producer.sendMany([{ value }]);
  const [second, third] = [producer.send({ value }), producer.send({ value })];
  expect(await first).toMatchObject({ offset: 1, nextOffset: 2 });
  expect((await many).partitions).toEqual([{ partition: 0, count: 1, offset: 2, nextOffset: 3 }]);
  expect(await second).toMatchObject({ offset: 3, nextOffset: 4 });
  refuse(new PermissionDeniedError("no"));
  await expect(third).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
});

test("records are settled in order where one part of a batch is split again", async () => {
  const producer = connect(log).producer("t");
  await producer.send({ value: "" });
  let refusals = 2; // of the batch, and of its first part
  log.onProduce = (_, append) => {
    if (refusals-- > 0) throw new BatchTooLargeError("too large");
    return append();
  };
  const settled: number[] = [];
  const sends = Array.from({ length: 16 }, () => producer.send({ value: "x".repeat(300) }));
  await Promise.all(sends.map((acked) => acked.then(({ offset }) => settled.push(offset))));
  expect(settled).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  expect(log.partition("t", 0).batches.length).toBeGreaterThan(3);
});

test("an answer that is lost after a split repeats no record", async () => {
  const producer = connect(log).producer("t");
  await producer.send(records(1)[0]!);
  const lost = new Set([3, 4, 8]);
  let count = 0;
  const limited = log.onProduce;
  log.onProduce = async (request, append) => {
    const ack = await limited(request, append);
    if (lost.has(++count)) throw Object.assign(new Error("connection lost"), { code: "UNAVAILABLE" });
    return ack;
  };
  await Promise.all(
    records(2_000)
      .slice(1)
      .map((record) => producer.send(record)),
  );
  expect(appended()).toEqual(inOrder(2_000));
});

test("a record that no batch of the topic could hold is refused, and those after it are sent", async () => {
  const producer = connect(log).producer("t");
  await producer.send({ value: "0" });
  maxBatchBytes = 2 * KIB;
  await expect(producer.send({ value: new Uint8Array(4 * KIB) })).rejects.toMatchObject({ code: "BATCH_TOO_LARGE" });
  await producer.send({ value: "1" });
  expect(appended()).toEqual(["0", "1"]);
});

const limited = (bytes: number) => {
  maxBatchBytes = bytes;
  log.effectiveConfig = { maxBatchBytes };
};

test("an append that its topic does not take is refused before it is sent, with the limit, and the others go on", async () => {
  limited(16 * KIB);
  const client = connect(log);
  const first = client.append("t", 0, records(10));
  const refused = client.append("t", 0, records(1_000));
  const last = client.append("t", 0, [{ value: "10" }], { expectedOffset: 10 });
  await expect(refused).rejects.toMatchObject({
    code: "BATCH_TOO_LARGE",
    topic: "t",
    partition: 0,
    expected: 16 * KIB,
    message: expect.stringContaining(`${16 * KIB} (maxBatchBytes)`),
  });
  expect([(await first).nextOffset, (await last).nextOffset]).toEqual([10, 11]);
  expect(log.produced).toHaveLength(2);
  const single = client.append("t", 0, [{ value: new Uint8Array(17 * KIB) }]);
  await expect(single).rejects.toMatchObject({ code: "RECORD_TOO_LARGE", expected: 16 * KIB });
  expect(log.produced).toHaveLength(2);
});

test("an append may be larger than the default, and than what appends may hold, where the topic takes it", async () => {
  limited(64 * KIB * KIB);
  await connect(log).append("t", 0, [
    { value: new Uint8Array(20 * KIB * KIB) },
    { value: new Uint8Array(20 * KIB * KIB) },
  ]);
  expect(largest).toBeGreaterThan(40 * KIB * KIB);
});

test("an append is measured as it is sent: compressed", async () => {
  limited(16 * KIB);
  const client = connect(log);
  const repeated = Array.from({ length: 1_000 }, () => ({ value: "x".repeat(100) }));
  await client.append("t", 0, repeated, { compression: "gzip" });
  const noise = [15, 4].map((kib) => ({ value: crypto.getRandomValues(new Uint8Array(kib * KIB)) }));
  const refused = client.append("t", 0, noise, { compression: "gzip" });
  await expect(refused).rejects.toMatchObject({ code: "BATCH_TOO_LARGE", expected: 16 * KIB });
  expect((await client.append("t", 0, records(1))).nextOffset).toBe(1_001);
  expect(log.produced).toHaveLength(2);
});

test("an append obeys the limit as it is now, raised or lowered", async () => {
  limited(16 * KIB);
  const client = connect(log);
  await client.append("t", 0, records(1));
  limited(256 * KIB);
  await client.append("t", 0, records(1_000));
  limited(16 * KIB);
  const large = () => client.append("t", 0, records(1_000));
  await expect(large()).rejects.toMatchObject({ code: "BATCH_TOO_LARGE" }); // the log refuses the batch
  const sent = log.produced.length;
  await expect(large()).rejects.toMatchObject({ code: "BATCH_TOO_LARGE" });
  expect(log.produced).toHaveLength(sent);
  await client.append("t", 0, records(1));
});
