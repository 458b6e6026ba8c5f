/** Commands that show, verify and repair data on disk. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker, ReadOnlyBroker } from "@logstore/core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { run as copy } from "../src/commands/copy.js";
import { run as inspect } from "../src/commands/inspect/inspect.js";
import { run as repair } from "../src/commands/repair.js";
import { run as verify } from "../src/commands/verify.js";
import { logstore, normalised } from "./command.js";
import { runIn } from "./in-process.js";

let data: string;
let segment: string;

/** Three batches at offsets 0, 1 and 3. */
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "logstore-directories-"));
  const broker = await Broker.open(data);
  await broker.createTopic({ topic: "orders", partitions: 2 });
  const store = broker.topic("orders");
  const timestamp = 1_700_000_000_000;
  await store.append("k", "hello", { timestamp, partition: 0 });
  await store.appendMany(0, [
    { key: "zoë", value: "signed up", timestamp, headers: [{ name: "trace", value: "a1" }] },
    { value: "", timestamp: timestamp + 1 },
  ]);
  await store.appendMany(0, [{ key: "", value: "last", timestamp }]);
  await broker.close();
  const [topic] = await readdir(join(data, "topics"));
  segment = join(data, "topics", topic!, "0", `${"0".repeat(20)}.log`);
});

afterAll(() => rm(data, { recursive: true, force: true }));

const masked = (text: string) =>
  normalised(text)
    .replaceAll(data, "DATA")
    .replaceAll(/topics\/[0-9a-f]{16}/g, "topics/ID");

test("inspect: the topics of a data directory, and the segments of one", async () => {
  const topics = await runIn({ columns: 100 }, inspect, {}, data);
  expect(masked(topics.stdout).replaceAll(/ +/g, " ")).toMatchInlineSnapshot(`
    "TOPIC PARTITIONS SEGMENTS SIZE DIRECTORY
    orders 2 1 261 B DATA/topics/ID
    "
  `);
  const segments = await runIn({ columns: 120 }, inspect, { topic: "orders" }, data);
  expect(masked(segments.stdout)).toMatchInlineSnapshot(`
    "PARTITION  OFFSETS  RECORDS  BATCHES   SIZE  LAST APPEND               STATE  FILE
            0    0 – 4        4        3  261 B  2026-01-01 00:00:00.000Z  sound  00000000000000000000.log
    "
  `);
});

test("inspect: a batch or a segment that is missing is not passed over", async () => {
  const store = await mkdtemp(join(tmpdir(), "logstore-directories-"));
  onTestFinished(() => rm(store, { recursive: true, force: true }));
  await writeFile(join(store, "store.json"), "{}");
  const bytes = await readFile(segment);
  const second = bytes.indexOf("LSB", 1);
  const third = bytes.indexOf("LSB", second + 1);
  const put = async (partition: number, offset: number, content: Uint8Array) => {
    await mkdir(join(store, String(partition)), { recursive: true });
    await writeFile(join(store, String(partition), `${String(offset).padStart(20, "0")}.log`), content);
  };
  await put(0, 0, Buffer.concat([bytes.subarray(0, second), bytes.subarray(third)]));
  await put(1, 0, bytes.subarray(0, second));
  await put(1, 3, bytes.subarray(third));
  await put(2, 0, bytes.subarray(0, third));
  await put(2, 1, bytes.subarray(second));
  const { stdout } = await runIn({ json: true }, inspect, {}, store);
  const states = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).state);
  const missing = "offsets 1 – 2 are missing";
  expect(states).toEqual([missing, "sound", missing, "sound", "offsets from 1 on occur twice"]);
});

test("inspect: each byte of a batch, with the names of the format", async () => {
  const { stdout } = await runIn({ columns: 100 }, inspect, { hex: true, offset: 1 }, segment);
  const names = stdout
    .replaceAll(/ {2}[0-9a-f]{2}( [0-9a-f]{2})* +/g, " ")
    .replaceAll(/(time|CRC|producer id|base sequence) .*/g, "$1 …")
    .replaceAll(/appended .*/g, "…");
  expect(names).toMatchInlineSnapshot(`
    "partition 0 byte 81  offsets 1 – 2, 2 records, 101 B, not compressed
      …
    00000051 magic "LSB"
    00000054 format version 1
    00000055 batch length 101
    00000059 base offset 1
    00000061 append time …
    00000069 flushed-up-to offset 1
    00000071 server CRC …
    00000075 producer CRC …
    00000079 producer id …
    00000081 base timestamp 1700000000000, 2023-11-14T22:13:20.000Z
    00000089 base sequence …
    0000008d record count 2
    00000091 records length 29
    00000095 producer epoch 0
    00000097 compression none
    00000098 reserved 0
    00000099 record at offset 1 body of 25 bytes, headers
    0000009a timestamp delta 0 ms
    0000009b key length + 1 5
    0000009c key "zoë"
    000000a0 value length 9
    000000a1 value "signed up"
    000000a9  70
    000000aa header name length 5
    000000ab header name "trace"
    000000b0 header value length 2
    000000b1 header value "a1"

    "
  `);
});

test("inspect: records", async () => {
  const { stdout } = await runIn({ json: true }, inspect, { records: true }, segment);
  const batches = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(batches.filter(({ kind }) => kind === "batch")).toMatchObject([
    { baseOffset: 0, recordCount: 1, records: [{ key: "aw==", value: "aGVsbG8=" }] },
    { baseOffset: 1, recordCount: 2 },
    { baseOffset: 3, recordCount: 1, records: [{ key: "" }] },
  ]);
});

test("sound: verify says so, repair has nothing to do", async () => {
  expect(await runIn({}, verify, {}, data)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^sound: 4 records in 1 topic/),
  });
  expect(await runIn({}, repair, {}, data)).toMatchObject({ code: 0, stdout: "nothing is to be repaired\n" });
});

test("damaged: found by verify and inspect, shown by repair, mended with --yes", async () => {
  const bytes = await readFile(segment);
  const second = bytes.indexOf("signed up");
  bytes[second]! ^= 1;
  await writeFile(segment, bytes);

  const verified = await runIn({}, verify, {}, data);
  expect(verified.code).toBe(1);
  expect(verified.stdout).toContain("partition 0 loses offsets 1 to 2");
  const inspected = await runIn({}, inspect, { batches: true }, segment);
  expect(inspected.stdout).toContain("damaged batch");

  const damaged = await ReadOnlyBroker.open(data);
  const refused = await runIn({ broker: damaged as unknown as Broker }, copy, { toData: `${data}-copy` }, "orders");
  await damaged.close();
  await rm(`${data}-copy`, { recursive: true });
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("CORRUPT_BATCH: the checksum of the batch at offset 1 is"),
  });

  const planned = await runIn({}, repair, {}, data);
  expect(planned).toMatchObject({
    code: 6,
    stdout: expect.stringContaining("2 offsets from 1 on would be noted as lost"),
  });
  expect(await readFile(segment)).toEqual(bytes);
  expect(await runIn({}, repair, { dryRun: true }, data)).toMatchObject({ code: 0 });

  const repaired = await runIn({}, repair, { yes: true }, data);
  expect(repaired).toMatchObject({ code: 0, stderr: expect.stringContaining("2 records are lost for good") });
  expect(await runIn({}, verify, {}, data)).toMatchObject({ code: 0 });

  const broker = await Broker.open(data);
  const copied = await runIn({ broker }, copy, { renumber: true }, "orders", "renumbered");
  await broker.close();
  expect(copied).toMatchObject({ code: 0, stderr: expect.stringContaining("offsets 1 to 2 of orders, partition 0") });
});

test("a topic that cannot be opened is named by repair and verify, which then fail", async () => {
  const directory = await mkdtemp(join(tmpdir(), "logstore-unopened-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const broker = await Broker.open(directory);
  await broker.createTopic({ topic: "broken", partitions: 1 });
  const [topic] = await readdir(join(directory, "topics"));
  await broker.createTopic({ topic: "sound", partitions: 1 });
  await broker.close();
  await writeFile(join(directory, "topics", topic!, "store.json"), "{ half");
  expect(await runIn({}, repair, {}, directory)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^warning: topic broken cannot be opened.*store.json/),
  });
  expect(await runIn({}, verify, {}, directory)).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^unopened broken: .*store.json.*\n1 finding: 0 records in 1 topic,/),
  });
});

test("a directory that a server has open is verified, and not repaired", async () => {
  const broker = await Broker.open(data);
  const appending = broker.topic("orders").appendMany(1, [{ value: "now" }]);
  expect(await runIn({}, verify, {}, data)).toMatchObject({ code: 0 });
  await appending;
  expect(await runIn({}, repair, {}, data)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("stop the process"),
  });
  await broker.close();
});

test("any other directory is refused", async () => {
  for (const run of [inspect, verify, repair]) {
    expect(await runIn({}, run, {}, tmpdir())).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("neither a server's"),
    });
    expect(await runIn({}, run, {}, join(data, "nowhere"))).toMatchObject({ code: 3 });
    expect(await runIn({}, run, { topic: "nothing" }, data)).toMatchObject({ code: 3 });
  }
});

test("a directory that does not exist is an error", async () => {
  const missing = await logstore(["topics", "list", "--data", join(data, "nothing")]);
  expect(missing).toMatchObject({ code: 3, stderr: expect.stringContaining("there is no directory") });
});
