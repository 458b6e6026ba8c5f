/** Topics are copied with their offsets; records of the target are never lost. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect, type LogApi, type ProduceRequest, type TopicDescription } from "@logstore/client";
import { MAX_RECORDS_PER_BATCH, RecordBatchBuilder, writeServerHalf } from "@logstore/codec";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Context } from "../src/command/context.js";
import { run as copy } from "../src/commands/copy.js";
import { run as exportTopic } from "../src/commands/export.js";
import { copyTopic } from "../src/transfer/copy-topic.js";
import { openTarget } from "../src/transfer/open-target.js";
import { padUpTo } from "../src/transfer/pad-partition.js";
import { runIn } from "./in-process.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

let served: ServedBroker;

beforeAll(async () => {
  served = await serveBroker();
  const client = connect(served.broker);
  await client.createTopic("source", { partitions: 2 });
  await client.producer("source").sendMany(["a", "b", "c", "d"].map((key) => ({ key, value: key })));
  await client.close();
});

afterAll(() => served.close());

const exported = async (topic: string) => (await runIn({ broker: served.broker }, exportTopic, {}, topic)).stdout;
const copied = (options: object, ...topics: string[]) => runIn({ broker: served.broker }, copy, options, ...topics);

const { signal } = new AbortController();
/** A target that crashes before it deletes. */
const crashing = () =>
  ({
    produce: (request: ProduceRequest) => served.broker.produce(request),
    deleteRecords: () => Promise.reject(new Error("crashed")),
  }) as unknown as LogApi;

/** Removes the fields that differ between topics. */
function records(ndjson: string): object[] {
  const lines = ndjson
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.map(({ topic: _, ...rest }) => rest);
}

test("a copy keeps each offset, also where the beginning was deleted", async () => {
  const client = connect(served.broker);
  await client.createTopic("trimmed", { partitions: 1 });
  for (let i = 0; i < 3; i++) await client.append("trimmed", 0, [{ value: `a${i}` }, { value: `b${i}` }]);
  await client.deleteRecords("trimmed", 0, 3);
  expect(await copied({}, "trimmed", "copied")).toMatchObject({ code: 0 });
  expect(records(await exported("copied"))).toEqual(records(await exported("trimmed")));
  expect((await client.describeTopic("copied")).partitions).toMatchObject([{ logStartOffset: 3, highWatermark: 6 }]);

  await client.append("trimmed", 0, [{ value: "later" }]);
  expect(await copied({}, "trimmed", "copied")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--continue"),
  });
  expect(await copied({ continue: true }, "trimmed", "copied")).toMatchObject({ code: 0 });
  expect(records(await exported("copied"))).toEqual(records(await exported("trimmed")));

  await client.append("copied", 0, [{ value: "of its own" }]);
  await client.append("trimmed", 0, [{ value: "another" }, { value: "and one more" }]);
  const refused = await copied({ continue: true }, "trimmed", "copied");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("differs from trimmed at offset 7") });
  await client.close();
});

test("--continue deletes nothing but padding below the log start of the source", async () => {
  const client = connect(served.broker);
  await client.createTopic("late", { partitions: 1 });
  for (let i = 0; i < 3; i++) await client.append("late", 0, [{ value: `a${i}` }, { value: `b${i}` }]);
  await client.deleteRecords("late", 0, 4);
  await client.createTopic("unrelated", { partitions: 1 });
  await client.append("unrelated", 0, [{ value: "precious" }]);
  const before = await exported("unrelated");
  const refused = await copied({ continue: true }, "late", "unrelated");
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("has records before offset 4, where late begins"),
  });
  expect(await exported("unrelated")).toBe(before);

  // A copy that crashed after its first batch of padding, before it was deleted.
  const to = await client.createTopic("padded", { partitions: 1 });
  await expect(padUpTo({ target: crashing(), to, partition: 0, end: 2, signal }, 0)).rejects.toThrow("crashed");
  expect(await copied({ continue: true }, "late", "padded")).toMatchObject({ code: 0 });
  expect(records(await exported("padded"))).toEqual(records(await exported("late")));
  expect((await client.describeTopic("padded")).partitions).toMatchObject([{ logStartOffset: 4, highWatermark: 6 }]);
  await client.close();
});

test("--continue compares everything, and deletes no record", async () => {
  const client = connect(served.broker);
  const fill = async (topic: string, ...values: string[]) => {
    await client.createTopic(topic, { partitions: 1 });
    for (const value of values) {
      const builder = new RecordBatchBuilder();
      builder.append(null, Buffer.from(value), 1);
      await served.broker.produce({ topic, partition: 0, batches: builder.seal() }); // client.append adds a producer id
    }
  };
  const values = async (topic: string) => (records(await exported(topic)) as { value: string }[]).map((r) => r.value);
  const bounds = async (topic: string) => (await client.describeTopic(topic)).partitions[0];
  await fill("begun", "a", "b", "c");
  await fill("other-beginning", "x", "b");
  await fill("other-end", "a", "x");
  await fill("longer", "a", "b", "c", "d");
  await fill("emptied", "x", "y");
  await client.deleteRecords("emptied", 0, 2);
  const problems = {
    "other-beginning": "differs from begun at offset 0",
    "other-end": "differs from begun at offset 1",
    longer: "ends at offset 4, after begun, which ends at 3",
    emptied: "is empty and begins at offset 2",
  };
  for (const [topic, problem] of Object.entries(problems)) {
    const before = await bounds(topic);
    const refused = await copied({ continue: true }, "begun", topic);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(`NOT_A_COPY.*${problem}`) });
    expect(await bounds(topic)).toEqual(before);
  }

  await fill("half", "a");
  expect(await copied({ continue: true }, "begun", "half")).toMatchObject({ code: 0 });
  expect(await copied({ continue: true }, "begun", "half")).toMatchObject({ code: 0 }); // nothing is left to copy
  await client.append("begun", 0, [{ value: "d" }]);
  await client.deleteRecords("begun", 0, 2);
  expect(await copied({ continue: true }, "begun", "half")).toMatchObject({ code: 0 });
  expect(await values("half")).toEqual(["a", "b", "c", "d"]); // the source has lost the first two since
  await client.close();
});

test("padding that is interrupted leaves one batch of it at most", async () => {
  const client = connect(served.broker);
  const to = await client.createTopic("long-padding", { partitions: 1 });
  const end = 2 * MAX_RECORDS_PER_BATCH + 1;
  const bounds = async () => (await client.describeTopic("long-padding")).partitions[0];
  await expect(padUpTo({ target: crashing(), to, partition: 0, end, signal }, 0)).rejects.toThrow("crashed");
  expect(await bounds()).toMatchObject({ logStartOffset: 0, highWatermark: MAX_RECORDS_PER_BATCH });
  await padUpTo({ target: served.broker, to, partition: 0, end, signal }, MAX_RECORDS_PER_BATCH);
  expect(await bounds()).toMatchObject({ logStartOffset: end, highWatermark: end });
  await client.close();
});

test("a token of the environment is not sent to the target of a copy", async () => {
  const cleanUps: (() => unknown)[] = [];
  const onEnd = (cleanUp: () => unknown) => void cleanUps.push(cleanUp);
  for (const environment of [{ LOGSTORE_TOKEN: "secret" }, { LOGSTORE_TOKEN_FILE: "/absent" }]) {
    await openTarget({ environment, onEnd } as unknown as Context, { to: served.address }); // no TLS: refuses a token
  }
  for (const cleanUp of cleanUps) await cleanUp();
});

test("--timeout bounds the calls to the target of a copy, too", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close());
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const refused = await copied({ to: `127.0.0.1:${port}`, timeout: 200 }, "source");
  expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining("the address comes from --to;") });
});

test("with other partitions offsets cannot be kept, and nothing is copied unless that is asked for", async () => {
  const client = connect(served.broker);
  await client.createTopic("wider", { partitions: 3 });
  const refused = await copied({}, "source", "wider");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("the offsets cannot be kept") });
  expect((await client.describeTopic("wider")).partitions.every(({ highWatermark }) => highWatermark === 0)).toBe(true);
  expect(await copied({ renumber: true }, "source", "wider")).toMatchObject({ code: 0 });
  const both = await copied({ renumber: true, continue: true }, "source", "wider"); // would copy all again
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("delete the incomplete copy") });
  const count = (await client.describeTopic("wider")).partitions.reduce((sum, each) => sum + each.highWatermark, 0);
  expect(count).toBe(4);
  await client.close();
});

test.each([
  [{}, "go on with --continue"],
  [{ renumber: true }, "delete stopped and begin anew"],
])("a copy that is interrupted says how to go on", async (options, how) => {
  const stop = new AbortController();
  stop.abort(new Error("interrupted"));
  const stopped = await runIn({ broker: served.broker, signal: stop.signal }, copy, options, "source", "stopped");
  expect(stopped.stderr).toContain(`stopped may hold a part of source: ${how}`);
});

test("the error of a copy is that of the first append that failed, not of those that expected it", async () => {
  const batch = (baseOffset: number) => {
    const builder = new RecordBatchBuilder();
    builder.append(null, "value", 1);
    const batches = builder.seal();
    writeServerHalf(batches, { baseOffset, appendTime: 1, flushedUpTo: 0 });
    return batches;
  };
  const source = {
    listOffsets: async () => [{ partition: 0, offset: 0, logStartOffset: 0, logEndOffset: 8, highWatermark: 8 }],
    async *consume() {
      for (let offset = 0; offset < 8; offset++) yield { type: "batches", batches: batch(offset) };
    },
  } as unknown as LogApi;
  const target = {
    listOffsets: async () => [{ partition: 0, offset: 0, logStartOffset: 0, logEndOffset: 0, highWatermark: 0 }],
    produce: async ({ expectedOffset }: ProduceRequest) => {
      throw new Error(expectedOffset === 0 ? "the disk is full" : "another offset was expected");
    },
  } as unknown as LogApi;
  const from = {
    ...(await served.broker.describeTopic("source")),
    partitions: [{ partition: 0 }],
  } as unknown as TopicDescription;
  const ignore = () => {};
  const copying = copyTopic({
    source,
    target,
    from,
    to: from,
    signal,
    verify: true,
    onCopied: ignore,
    onCompared: ignore,
  });
  await expect(copying).rejects.toThrow("the disk is full");
});
