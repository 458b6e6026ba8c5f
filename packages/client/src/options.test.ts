import { beforeEach, describe, expect, test } from "vitest";
import { FakeLogApi } from "../test/fake-log-api.js";
import { connect, type LogClient } from "./index.js";

let api: FakeLogApi;
let client: LogClient;

beforeEach(async () => {
  api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: 2 });
  client = connect(api);
});

/** Options that the compiler rejects, as a JavaScript program may pass them. */
type Bad = [what: string, call: (bad: never) => unknown, options: unknown, named: string];

const reader = (options: never) => client.reader(options);
const consumer = (options: never) => client.consumer(options);
const producer = (options: never) => client.producer("t", options);
const append = (options: never) => client.append("t", 0, [{ value: "v" }], options);
const run = (options: never) => client.consumer({ group: "g", topics: ["t"] }).run(options);
const send = (record: never) => client.producer("t").send(record);
const eachRecord = () => {};

const bad: Bad[] = [
  ["connect", (options) => connect("localhost", options), { timeoutMs: Number.NaN }, "timeoutMs"],
  ["connect", (options) => connect("localhost", options), { timeout: 5 }, "timeoutMs"],
  ["connect", (options) => connect("localhost", options), { tls: { cafile: "x" } }, "tls.cafile"],
  ["connect", (options) => connect("localhost", options), { tls: "yes" }, "tls"],
  ["connect", (options) => connect("localhost", options), { tls: true, token: 5 }, "token"],
  ["connect", (options) => connect(api as never, options), { tls: true }, "leave out tls"],
  ["a reader", reader, { assign: {} }, "assign"],
  ["a reader", reader, { assign: { t: [] } }, "assign"],
  ["a reader", reader, { assign: { t: 0 } }, "assign"],
  ["a reader", reader, { assign: { t: [-1] } }, "assign"],
  ["a reader", reader, undefined, "options"],
  ["a reader", reader, {}, "assign"],
  ["a reader", reader, { assign: { t: [0] }, from: "first" }, "from"],
  ["a reader", reader, { assign: { t: [0] }, from: { time: new Date(Number.NaN) } }, "from"],
  ["a reader", reader, { assign: { t: [0] }, from: { t: { 0: "first" } } }, "from"],
  ["a reader", reader, { assign: { t: [0] }, until: -1 }, "until"],
  ["a reader", reader, { assign: { t: [0] }, value: {} }, "value"],
  ["a reader", reader, { assign: { t: [0] }, schema: {} }, "schema"],
  ["a reader", reader, { assign: { t: [0] }, signal: {} }, "signal"],
  ["a reader", reader, { asign: { t: [0] } }, '"assign"'],
  ["a reader", reader, { assign: { t: [0] }, topics: ["t"] }, "either assign"],
  ["a reader", reader, { topics: ["t-*"] }, "topics"],
  ["a reader", reader, { topics: "t" }, "topics"],
  ["a reader", reader, { group: "g", topics: ["t"] }, "client.consumer({ group, topics })"],
  ["a group", consumer, { assign: { t: [0] } }, "client.reader({ assign })"],
  ["a group", consumer, { group: "g", topics: ["t"], sesionTimeoutMs: 1 }, '"sessionTimeoutMs"'],
  ["a group", consumer, { group: "g", topics: [] }, "topics"],
  ["a group", consumer, { group: "g", topics: "t" }, "topics"],
  ["a group", consumer, { gruop: "g", topics: ["t"] }, '"group"'],
  ["a group", consumer, { group: "g", topics: ["t"], commit: false }, "commit"],
  ["a group", consumer, { group: "g", topics: ["t"], commitIntervalMs: -1 }, "commitIntervalMs"],
  ["a group", consumer, { group: "g", topics: ["t"], sessionTimeoutMs: Infinity }, "sessionTimeoutMs"],
  ["a group", consumer, { group: "g", topics: ["t"], from: 5 }, "from"],
  ["a group", consumer, { group: "g", topics: ["t"], onRevoked: true }, "onRevoked"],
  ["a group", consumer, { group: "", topics: ["t"] }, "group"],
  ["a run", run, {}, "eachRecord"],
  ["a run", run, undefined, "options"],
  ["a run", run, { eachRecord, concurency: 4 }, '"concurrency"'],
  ["a run", run, { eachRecord, concurrency: 1.5 }, "concurrency"],
  ["a run", run, { eachRecord, retry: { attempts: Number.NaN } }, "retry.attempts"],
  ["a run", run, { eachRecord, retry: { attempt: 1 } }, "retry.attempt"],
  ["a producer", producer, { lingerMs: Number.NaN }, "lingerMs"],
  ["a producer", producer, { linger: 5 }, "lingerMs"],
  ["a producer", producer, { maxBufferedBytes: Number.NaN }, "maxBufferedBytes"],
  ["a producer", producer, { batchBytes: 0 }, "batchBytes"],
  ["a producer", producer, { deliveryTimeoutMs: "1s" }, "deliveryTimeoutMs"],
  ["a producer", producer, { compression: "zip" }, "compression"],
  ["a producer", producer, { durability: "fsync" }, "durability"],
  ["a producer", producer, null, "options"],
  ["ensureTopic", (options) => client.ensureTopic("n", options), { partition: 4 }, '"partitions"'],
  ["ensureTopic", (options) => client.ensureTopic("n", options), { durability: "x" }, "durability"],
  ["an append", append, { compression: "zip" }, '"zstd"'],
  ["an append", append, { expectedOffset: -1 }, "expectedOffset"],
  ["an append", append, { expectedOfset: 1 }, '"expectedOffset"'],
  ["an append", append, { deliveryTimeoutMs: Number.NaN }, "deliveryTimeoutMs"],
  ["an append", (records) => client.append("t", 0, records), {}, "records"],
  ["an append", (records) => client.append("t", 0, records), [null], "record"],
  ["an append", (partition) => client.append("t", partition, [{ value: "v" }]), "0", "partition"],
  ["a record", send, undefined, "record"],
  ["a record", send, { value: "v", key: 5 }, "key"],
  ["a record", send, { value: "v", timestamp: Number.NaN }, "timestamp"],
  ["a record", send, { value: "v", timestamp: new Date(Number.NaN) }, "timestamp"],
  ["a record", send, { value: "v", headers: { name: "value" } }, "headers"],
  ["a record", send, { value: "v", headers: [{ name: "n" }] }, "header"],
  ["a record", send, { value: "v", partition: "0" }, "partition"],
  ["many records", (records) => client.producer("t").sendMany(records), 5, "sendMany"],
  ["createTopic", (options) => client.createTopic("n", options), { partition: 4 }, '"partitions"'],
  ["createTopic", (options) => client.createTopic("n", options), {}, "partitions"],
  ["createTopic", (options) => client.createTopic("n", options), { partitions: 1, retentionMS: 5 }, '"retentionMs"'],
  ["alterTopicConfig", (change) => client.alterTopicConfig("t", change), { durability: "x" }, "durability"],
  ["deleteRecords", (before) => client.deleteRecords("t", 0, before), { time: "x" }, "before"],
  ["listOffsets", (partitions) => client.listOffsets("t", partitions), [{ partition: 0, position: {} }], "position"],
  ["resetOffsets", (reset) => client.resetOffsets("g", reset), {}, "to"],
  ["resetOffsets", (reset) => client.resetOffsets("g", reset), { to: { shiftBy: 0.5 } }, "to"],
  ["replay", (options) => client.parked("t", "g").replay(options), { filter: true }, "filter"],
  ["close", (options) => client.close(options), { timeoutMs: -1 }, "timeoutMs"],
  ["close", (options) => client.producer("t").close(options), { timeout: 1 }, '"timeoutMs"'],
];

test.each(bad)("%s with wrong options is refused: case %#", async (_what, call, options, named) => {
  const refused = (async () => call(options as never))();
  await expect(refused).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(named) });
});

describe("a Date is taken wherever a time is", () => {
  test("in records, positions and policies", async () => {
    const at = new Date("2026-01-01T00:00:00Z");
    await client.producer("t").sendMany([
      { value: "early", partition: 0, timestamp: 5 },
      { value: "late", partition: 0, timestamp: at },
    ]);
    await client.append("t", 1, [{ value: "later", timestamp: new Date(at.getTime() + 1) }]);
    const options = { assign: { t: [0, 1] }, from: { time: at }, until: "latest" } as const;
    const records = await Array.fromAsync(client.reader(options));
    expect(records.map(({ timestamp }) => timestamp).toSorted()).toEqual([at.getTime(), at.getTime() + 1]);
    const found = await client.listOffsets("t", [{ partition: 0, position: { time: at } }]);
    expect(found).toMatchObject([{ offset: 1 }]);
  });
});

test("timestamps that are 2^52 ms apart go into batches of their own, and none is refused", async () => {
  const timestamps = [0, 2 ** 52, 1, -(2 ** 52), 2];
  const producer = client.producer("t");
  await Promise.all(timestamps.map((timestamp) => producer.send({ value: "v", partition: 0, timestamp })));
  const records = await Array.fromAsync(client.reader({ assign: { t: [0] }, until: "latest" }));
  expect(records.map(({ timestamp }) => timestamp)).toEqual(timestamps);
  const apart = timestamps.map((timestamp) => ({ value: "v", timestamp }));
  await expect(client.append("t", 0, apart)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining("2^52"),
  });
});

test("a seek past the end while the loop waits ends it", async () => {
  const reader = client.reader({ assign: { t: [0] }, until: 5 });
  const next = reader[Symbol.asyncIterator]().next();
  await new Promise((resolve) => setTimeout(resolve, 5));
  reader.seek("t", 0, 5);
  expect(await next).toEqual({ done: true, value: undefined });
});

describe("what means never", () => {
  test.each([Infinity, 2 ** 31, 30 * 24 * 60 * 60 * 1000])(
    "a delivery timeout of %d ms does not expire at once",
    async (ms) => {
      api.onProduce = async (_, append) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return append();
      };
      const sent = client.producer("t", { deliveryTimeoutMs: ms }).send({ value: "a", partition: 0 });
      const appended = client.append("t", 1, [{ value: "b" }], { deliveryTimeoutMs: ms });
      expect(await Promise.all([sent, appended])).toHaveLength(2);
      expect(api.produced).toHaveLength(2);
    },
  );
});
