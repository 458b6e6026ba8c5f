/**
 * Bad input gives a typed error with a stable code and details, the same in every home. Nothing is
 * written, and other callers are not affected.
 */
import { LogStoreError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealedBatch } from "./bytes.ts";
import { type Home, homes } from "./homes.ts";

type Attempt = (api: LogApi) => Promise<unknown>;

const produce =
  (batches: Uint8Array, where: { topic?: string; partition?: number; expectedOffset?: number } = {}): Attempt =>
  (api) =>
    api.produce({ topic: "t", partition: 0, batches, ...where });

const consume =
  (from: number, where: { topic?: string; partition?: number } = {}): Attempt =>
  async (api) => {
    for await (const _ of api.consume({ topic: "t", partition: 0, from, until: "latest", ...where }));
  };

function changed(change: (batch: Uint8Array) => void): Uint8Array {
  const batch = sealedBatch(["value"]);
  change(batch);
  return batch;
}

const good = () => sealedBatch(["value"]);

const cases: [string, Attempt, Partial<LogStoreError>][] = [
  ["unknown topic to produce to", produce(good(), { topic: "u" }), { code: "UNKNOWN_TOPIC", topic: "u" }],
  ["unknown topic to consume", consume(0, { topic: "u" }), { code: "UNKNOWN_TOPIC", topic: "u" }],
  ["unknown topic to describe", (api) => api.describeTopic("u"), { code: "UNKNOWN_TOPIC", topic: "u" }],
  ["unknown partition to produce to", produce(good(), { partition: 9 }), { code: "UNKNOWN_PARTITION", partition: 9 }],
  [
    "unknown partition to consume",
    consume(0, { partition: 2 }),
    { code: "UNKNOWN_PARTITION", topic: "t", partition: 2 },
  ],
  ["negative offset", consume(-1), { code: "OFFSET_OUT_OF_RANGE", topic: "t", partition: 0, offset: -1, expected: 0 }],
  [
    "offset past the end",
    consume(4),
    { code: "OFFSET_OUT_OF_RANGE", topic: "t", partition: 0, offset: 4, expected: 3 },
  ],
  ["offset beyond 2^53", consume(2 ** 60), { code: "OFFSET_OUT_OF_RANGE" }],
  [
    "wrong expected offset",
    produce(good(), { expectedOffset: 2 }),
    { code: "WRONG_EXPECTED_OFFSET", expected: 2, actual: 3 },
  ],
  ["no batch at all", produce(new Uint8Array(0)), { code: "INVALID_ARGUMENT" }],
  ["oversized batch", produce(sealedBatch(["x".repeat(200_000)])), { code: "BATCH_TOO_LARGE", expected: 100_000 }],
  [
    "changed record",
    produce(changed((b) => (b[b.length - 1]! ^= 1))),
    { code: "CORRUPT_BATCH", topic: "t", partition: 0 },
  ],
  ["changed header", produce(changed((b) => (b[5]! ^= 1))), { code: "CORRUPT_BATCH", byte: 32 }],
  ["truncated batch", produce(good().subarray(0, 76)), { code: "TRUNCATED_BATCH", actual: 76 }],
  ["trailing bytes", produce(Buffer.concat([good(), new Uint8Array(3)])), { code: "TRUNCATED_BATCH", actual: 3 }],
  ["foreign format", produce(new TextEncoder().encode("x".repeat(100))), { code: "FOREIGN_FORMAT", byte: 0 }],
  ["newer format version", produce(changed((b) => (b[3] = 2))), { code: "UNSUPPORTED_FORMAT_VERSION", actual: 2 }],
  [
    "negative partition to produce to",
    produce(good(), { partition: -1 }),
    { code: "UNKNOWN_PARTITION", partition: -1 },
  ],
  [
    "half a partition to produce to",
    produce(good(), { partition: 0.5 }),
    { code: "UNKNOWN_PARTITION", partition: 0.5 },
  ],
  ["negative partition to consume", consume(0, { partition: -1 }), { code: "UNKNOWN_PARTITION", partition: -1 }],
  ["half an offset", consume(1.5), { code: "OFFSET_OUT_OF_RANGE", offset: 1.5 }],
  ["negative expected offset", produce(good(), { expectedOffset: -1 }), { code: "INVALID_ARGUMENT" }],
  ["batch beyond every limit", produce(sealedBatch([new Uint8Array(15 * 1024 * 1024)])), { code: "BATCH_TOO_LARGE" }],
  [
    "topic of half a partition",
    (api) => api.createTopic({ topic: "n", partitions: 2.5 }),
    { code: "INVALID_ARGUMENT" },
  ],
  [
    "topic of far too many partitions",
    (api) => api.createTopic({ topic: "n", partitions: 2 ** 32 + 1 }),
    { code: "INVALID_ARGUMENT" },
  ],
  ["topic name like a path", (api) => api.createTopic({ topic: "../t", partitions: 1 }), { code: "INVALID_ARGUMENT" }],
  ["topic that exists", (api) => api.createTopic({ topic: "t", partitions: 1 }), { code: "TOPIC_EXISTS", topic: "t" }],
  ["topic without partitions", (api) => api.createTopic({ topic: "n", partitions: 0 }), { code: "INVALID_ARGUMENT" }],
  [
    "offsets of an unknown partition",
    (api) => api.listOffsets({ topic: "t", partitions: [{ partition: 7, position: "latest" }] }),
    { code: "UNKNOWN_PARTITION", partition: 7 },
  ],
];

describe.each(Object.entries(homes))("%s", (_name, openHome) => {
  let home: Home;

  beforeEach(async () => {
    home = await openHome({ maxBatchBytes: 100_000 });
    await home.api.createTopic({ topic: "t", partitions: 2 });
    await home.api.produce({ topic: "t", partition: 0, batches: sealedBatch(["a", "b", "c"]) });
  });

  afterEach(() => home.close());

  test.each(cases)("%s", async (_what, attempt, expected) => {
    const before = await home.api.describeTopic("t");
    const error = await attempt(home.api).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(LogStoreError);
    expect(error).toMatchObject(expected);
    expect((error as LogStoreError).message).not.toBe("");
    expect(await home.api.describeTopic("t")).toEqual(before);
    expect(await home.api.listTopics()).toMatchObject([{ topic: "t", partitionCount: 2 }]);
    await expect(home.api.produce({ topic: "t", partition: 0, batches: good() })).resolves.toMatchObject({
      baseOffset: 3,
    });
  });

  test("a refused batch does not affect those sent with it", async () => {
    const bad = changed((batch) => (batch[batch.length - 1]! ^= 1));
    const results = await Promise.allSettled([
      home.api.produce({ topic: "t", partition: 1, batches: sealedBatch(["1"]) }),
      home.api.produce({ topic: "t", partition: 1, batches: bad }),
      home.api.produce({ topic: "t", partition: 1, batches: sealedBatch(["2"]) }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await home.api.describeTopic("t")).partitions[1]?.highWatermark).toBe(2);
  });

  test("batches above the message limit are refused, and those sent with them are not", async () => {
    const tooMuch = Buffer.concat([sealedBatch([new Uint8Array(9e6)]), sealedBatch([new Uint8Array(9e6)])]);
    const results = await Promise.allSettled([
      home.api.produce({ topic: "t", partition: 1, batches: sealedBatch(["1"]) }),
      home.api.produce({ topic: "t", partition: 1, batches: tooMuch }),
      home.api.produce({ topic: "t", partition: 1, batches: sealedBatch(["2"]) }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: { code: "BATCH_TOO_LARGE" } });
  });

  test("an oversized record is refused before it is sent, and the producer continues", async () => {
    const producer = home.client.producer("t");
    await expect(producer.send({ value: "x".repeat(17 * 1024 * 1024), partition: 0 })).rejects.toMatchObject({
      code: "RECORD_TOO_LARGE",
    });
    await expect(producer.send({ value: "x".repeat(200_000), partition: 0 })).rejects.toMatchObject({
      code: "RECORD_TOO_LARGE",
    });
    await expect(producer.send({ value: "small", partition: 0 })).resolves.toMatchObject({ offset: 3 });
  });
});
