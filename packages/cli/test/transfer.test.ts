/** Records are exported from a topic and imported into another one; none is lost or changed. */
import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { run as exportTopic } from "../src/commands/export.js";
import { run as importFiles } from "../src/commands/import.js";
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

  const bilog = await imported("two-files", { skipLines: 1 }, undefined, [directory, first]);
  expect(bilog).toMatchObject({ code: 2, stderr: expect.stringContaining("no lines for --skip-lines") });

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

test("an export removes no directory that another process opened or filled first", async () => {
  const output = join(directory, "contended");
  /** Another process begins, when this one has found the directory missing. */
  const overtaken = (other: () => Promise<unknown>) =>
    new Proxy(served.broker, {
      get: (broker, name) => {
        const value: unknown = Reflect.get(broker, name, broker);
        if (typeof value !== "function") return value;
        if (name !== "describeTopic") return value.bind(broker);
        return async (topic: string) => {
          if (topic === "source") await other();
          return broker.describeTopic(topic);
        };
      },
    });
  let other: Broker | undefined;
  const begin = async () => {
    other ??= await Broker.open(output);
  };
  const options = { format: "directory", output };
  const locked = await runIn({ broker: overtaken(begin) }, exportTopic, options, "source");
  expect(locked).toMatchObject({ code: 1, stderr: expect.stringContaining("LOCKED") });
  await other!.createTopic({ topic: "theirs", partitions: 1 });
  await other!.close();

  await rm(output, { recursive: true });
  const finish = async () => {
    const broker = await Broker.open(output);
    await broker.createTopic({ topic: "source", partitions: 2 });
    await broker.close();
  };
  const late = await runIn({ broker: overtaken(finish) }, exportTopic, options, "source");
  expect(late).toMatchObject({ code: 2, stderr: expect.stringContaining("is not empty") });
  const broker = await Broker.open(output);
  expect((await broker.listTopics()).map(({ topic }) => topic)).toEqual(["source"]);
  await broker.close();
});

test("an exported file and its name are synced", async () => {
  const file = join(directory, "synced.ndjson");
  const handle = await open(directory);
  const sync = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, "sync");
  onTestFinished(() => sync.mockRestore());
  const isDirectory: boolean[] = [];
  sync.mockImplementation(async function (this: FileHandle) {
    isDirectory.push((await this.stat()).isDirectory());
  });
  expect(await runIn({ broker: served.broker }, exportTopic, { output: file }, "source")).toMatchObject({ code: 0 });
  expect(isDirectory).toEqual([false, true]);
  await handle.close();
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
