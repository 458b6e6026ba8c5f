/** Records are exported from a topic and imported into another one; none is lost or changed. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type LogApi, type ProduceRequest } from "@logstore/client";
import { MAX_RECORDS_PER_BATCH } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Context } from "../src/command/context.js";
import { run as copy } from "../src/commands/copy.js";
import { run as exportTopic } from "../src/commands/export.js";
import { run as importFiles } from "../src/commands/import.js";
import { openTarget } from "../src/transfer/open-target.js";
import { padUpTo } from "../src/transfer/pad-partition.js";
import { start } from "./command.js";
import { runIn } from "./in-process.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

let served: ServedBroker;
let directory: string;

beforeAll(async () => {
  served = await serveBroker();
  directory = await mkdtemp(join(tmpdir(), "logstore-transfer-"));
  const client = connect(served.broker);
  await client.createTopic("source", { partitions: 2 });
  const headers = [
    { name: "a", value: "1" },
    { name: "a", value: Uint8Array.of(0xfe) },
  ];
  await client.producer("source").sendMany([
    { key: "k", value: 'a "quoted"\nvalue', timestamp: 5, headers },
    { key: "", value: "", timestamp: -5 },
    { value: Uint8Array.of(0, 0xff), timestamp: 2 ** 52, partition: 1 },
    { key: Uint8Array.of(0x80), value: "é", partition: 0 },
  ]);
  await client.close();
});

afterAll(async () => {
  await served.close();
  await rm(directory, { recursive: true, force: true });
});

const exported = async (topic: string, options = {}) =>
  (await runIn({ broker: served.broker }, exportTopic, options, topic)).stdout;
const imported = (topic: string, options: object, input?: string, files: string[] = []) =>
  runIn({ broker: served.broker, input }, importFiles, options, topic, files);
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

test.each(["ndjson", "csv"])("%s: export, import", async (format) => {
  const before = await exported("source");
  const input = await exported("source", { format });
  const options = { format, create: 2, keepPartitions: true };
  const { code, stdout } = await imported(`from-${format}`, options, input);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `imported 4 records into from-${format}\n` });
  expect(records(await exported(`from-${format}`))).toEqual(records(before));
});

test("an import that ends at a bad line says what is stored, and can be continued", async () => {
  const file = join(directory, "bad.ndjson");
  const lines = Array.from({ length: 20_000 }, (_, i) => JSON.stringify({ key: `k${i}`, value: `v${i}` }));
  await writeFile(file, lines.with(14_999, "oops").join("\n"));
  const failed = await imported("partly", { create: 1 }, undefined, [file]);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("line 15000: this is not JSON");
  expect(failed.stderr).toContain("lines 1 to 14,999 of");
  expect(failed.stderr).toContain("go on with --skip-lines 14999");
  await writeFile(file, lines.join("\n"));
  expect(await imported("partly", { skipLines: 14_999 }, undefined, [file])).toMatchObject({ code: 0 });
  const values = records(await exported("partly")).map((each) => (each as { value: string }).value);
  expect(values).toEqual(Array.from({ length: 20_000 }, (_, i) => `v${i}`));
});

test("--skip-lines applies to the first file, and is not forgotten by the hint", async () => {
  const [first, second] = [join(directory, "first.ndjson"), join(directory, "second.ndjson")];
  await writeFile(first, '{"value":"a"}\n{"value":"b"}\n');
  await writeFile(second, '{"value":"c"}\nnot JSON\n');
  const failed = await imported("two-files", { create: 1, skipLines: 1 }, undefined, [first, second, first]);
  expect(failed.stderr).toContain(`go on with --skip-lines 1 and the files from ${second} on`);
  expect(records(await exported("two-files"))).toMatchObject([{ value: "b" }, { value: "c" }]);

  const again = await imported("two-files", { skipLines: 1 }, undefined, [second]);
  expect(again.stderr).toContain(`lines 1 to 1 of ${second} are stored`);
  expect(again.stderr).toMatch(/go on with --skip-lines 1\n/);

  const stop = new AbortController();
  stop.abort(new Error("interrupted"));
  const surroundings = { broker: served.broker, signal: stop.signal };
  const stopped = await runIn(surroundings, importFiles, { skipLines: 1_000 }, "two-files", [first]);
  expect(stopped.stderr).toContain("go on with --skip-lines 1000");
});

test("an import that is interrupted says what is stored", async () => {
  const child = start(["import", "interrupted", "--create", "1", "--server", served.address]);
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const line = `${JSON.stringify({ value: "v".repeat(1000) })}\n`;
  child.stdin.on("error", () => {});
  child.stdin.write(line.repeat(1_000));
  const client = connect(served.broker);
  await expect
    .poll(
      async () => (await client.describeTopic("interrupted").catch(() => undefined))?.partitions[0]?.highWatermark ?? 0,
      {
        timeout: 10_000,
      },
    )
    .toBeGreaterThan(0);
  child.kill("SIGINT"); // while the command waits for more records
  const code = await new Promise((resolve) => child.once("close", resolve));
  const { partitions } = await client.describeTopic("interrupted");
  await client.close();
  expect(code).toBe(130);
  expect(stderr).toContain(`go on with --skip-lines ${partitions[0]!.highWatermark}`);
});

test("a directory of the Go LogStore: each file is a partition, and damage is left out", async () => {
  const go = join(directory, "go");
  await mkdir(go);
  const record = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
  const hello = record("00 00 00 00 00 00 00 18  fa 95 12 9c  48 65 6c 6c 6f 20 57 6f 72 6c 64 21");
  const letter = record("00 00 00 00 00 00 00 0d  f9 b2 97 1a  61");
  await writeFile(join(go, "0.bilog"), Buffer.concat([hello, letter]));
  await writeFile(join(go, "2.bilog"), Buffer.concat([letter, hello.subarray(0, 20)]));
  expect(await imported("narrow", { create: 2 }, undefined, [go])).toMatchObject({ code: 2 });
  const { code, stdout, stderr } = await imported("go", { create: 3 }, undefined, [go]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "imported 3 records into go\n" });
  expect(stderr).toContain("2.bilog: 20 bytes in 1 place cannot be read");
  expect(records(await exported("go"))).toMatchObject([
    { partition: 0, offset: 0, key: null, value: "Hello World!" },
    { partition: 0, offset: 1, value: "a" },
    { partition: 2, offset: 0, value: "a" },
  ]);
  expect(await imported("go", {}, undefined, [go])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("NOT_EMPTY"),
  });
});

test("an export that is interrupted leaves neither a file nor a directory", async () => {
  const stop = new AbortController();
  const broker = served.broker;
  for (const format of ["csv", "directory"]) {
    const output = join(directory, `interrupted-${format}`);
    stop.abort(new Error("interrupted"));
    const ran = await runIn({ broker, signal: stop.signal }, exportTopic, { format, output }, "source");
    expect(ran.code).not.toBe(0);
  }
  expect((await readdir(directory)).filter((name) => name.startsWith("interrupted"))).toEqual([]);
});

test("an export of a part", async () => {
  const options = {
    partitions: [0],
    from: { type: "offset", offset: 1 },
    until: { type: "offset", offset: 2 },
  };
  expect(records(await exported("source", options))).toMatchObject([{ partition: 0, offset: 1 }]);
});

test("a missing topic is said before anything is read", async () => {
  const { code, stderr } = await imported("nowhere", {});
  expect(code).toBe(3);
  expect(stderr).toContain("nowhere");
});

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
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("is not what trimmed has") });
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
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("is not what late has") });
  expect(await exported("unrelated")).toBe(before);

  // A copy that crashed after its first batch of padding, before it was deleted.
  const to = await client.createTopic("padded", { partitions: 1 });
  await expect(padUpTo({ target: crashing(), to, partition: 0, end: 2, signal }, 0)).rejects.toThrow("crashed");
  expect(await copied({ continue: true }, "late", "padded")).toMatchObject({ code: 0 });
  expect(records(await exported("padded"))).toEqual(records(await exported("late")));
  expect((await client.describeTopic("padded")).partitions).toMatchObject([{ logStartOffset: 4, highWatermark: 6 }]);
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

test("an export to a directory is a data directory", async () => {
  const data = join(directory, "exported");
  const directoryExport = () =>
    runIn({ broker: served.broker }, exportTopic, { format: "directory", output: data }, "source");
  expect(await directoryExport()).toMatchObject({ code: 0 });
  const broker = await Broker.open(data);
  const { partitions } = await broker.describeTopic("source");
  await broker.close();
  expect(partitions.reduce((sum, each) => sum + each.highWatermark, 0)).toBe(4);
  expect(await directoryExport()).toMatchObject({ code: 2, stderr: expect.stringContaining("is not empty") });
});

test("a file is never overwritten, and a reader that goes away is no error", async () => {
  const file = join(directory, "kept.csv");
  await writeFile(file, "kept");
  expect(await runIn({ broker: served.broker }, exportTopic, { output: file }, "source")).toMatchObject({ code: 2 });
  expect(await readFile(file, "utf8")).toBe("kept");
  const child = start(["export", "partly", "--server", served.address]);
  child.stdout.once("data", () => child.stdout.destroy());
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});
