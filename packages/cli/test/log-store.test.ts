/** Commands on the directory of an embedded log store, while its program writes to it. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker, LogStore } from "@logstore/core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { logstore, normalised, start } from "./command.js";

let parent: string;
let directory: string;
let writer: LogStore;
const on = (...args: readonly string[]) => logstore([...args, "--data", directory]);

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "logstore-store-"));
  directory = join(parent, "logs");
  writer = await LogStore.open(directory, { partitions: 2 });
  await writer.append("ada", "signed up", { partition: 0 });
  await writer.append("bob", "logged in", { partition: 1 });
});

afterAll(async () => {
  await writer.close();
  await rm(parent, { recursive: true });
});

test("a log store is read beside its writer as one topic, named like its directory", async () => {
  const files = await readdir(directory, { recursive: true });
  const format = ["--format-string", "%t %p:%o %k %v\\n", "-q"];
  const records = "logs 0:0 ada signed up\nlogs 1:0 bob logged in\n";
  expect(await on("read", "logs", ...format)).toEqual({ stdout: records, stderr: "", code: 0 });
  expect(await on("read", ...format)).toEqual({ stdout: records, stderr: "", code: 0 });
  expect((await on("topics", "list", "--sizes")).stdout).toMatchInlineSnapshot(`
    "TOPIC  PARTITIONS  RECORDS
    logs            2        2
    "
  `);
  expect(normalised((await on("topics", "describe", "logs")).stdout)).toMatchInlineSnapshot(`
    "topic           logs
    id              00000000-0000-4000-8000-000000000000
    partitioner     fnv1a-32
    durability      set by the writer
    retention       set by the writer
    retention size  set by the writer
    segment size    set by the writer
    max batch size  set by the writer

    PARTITION  START  END  RECORDS
            0      0    1        1
            1      0    1        1
    "
  `);
  expect((await on("export", "logs")).stdout.trim().split("\n")).toHaveLength(2);
  expect((await on("groups", "list")).stderr).toContain("there are no groups at");
  expect(await readdir(directory, { recursive: true })).toEqual(files);
});

test("tail shows what the writer appends, without the topic's name", async () => {
  const child = start(["tail", "--from", "latest", "--format", "value", "--count", "1", "--data", directory]);
  onTestFinished(() => void child.kill());
  const shown = new Promise<string>((resolve) => child.stdout.once("data", (chunk) => resolve(String(chunk))));
  const ended = new Promise((resolve) => child.once("close", resolve));
  let isShown = false;
  void shown.then(() => {
    isShown = true;
  });
  // Only what is appended after the command has looked for the end is shown.
  while (!isShown) {
    await writer.append("cyd", "appended");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await shown).toBe("appended\n");
  expect(await ended).toBe(0);
});

test("a log store is copied to a topic of a server's directory, offsets included", async () => {
  const target = join(parent, "server");
  const { stdout, code } = await on("copy", "logs", "events", "--to-data", target);
  expect(stdout).toMatch(/^copied \d+ records of logs to events, with the same offsets, and compared them\n$/);
  expect(code).toBe(0);
  await using broker = await Broker.open(target);
  const ends = (await broker.describeTopic("events")).partitions.map(({ highWatermark }) => highWatermark);
  expect(ends).toEqual([writer.partition(0).endOffset, writer.partition(1).endOffset]);
});

test("another topic's name, and a change, are refused with what to do", async () => {
  const masked = (text: string) => text.replaceAll(directory, "./logs");
  const unknown = await on("read", "orders");
  expect(masked(unknown.stderr)).toMatchInlineSnapshot(`
    "error: there is no topic "orders": ./logs is a log store, and its only topic is "logs" (UNKNOWN_TOPIC)
    hint:  logstore topics list shows the topics that there are
    "
  `);
  expect(unknown.code).toBe(3);
  const change = await logstore(["produce", "logs", "--data", directory], { input: "logged out\n" });
  expect(masked(change.stderr)).toMatchInlineSnapshot(`
    "error: line 1 of stdin: ./logs is open read-only: make the change through the server or program that writes to it; 0 records appended before that (INVALID_ARGUMENT)
    "
  `);
  const remote = await logstore(["read", "--server", "localhost:1"]);
  expect(remote.stderr).toMatchInlineSnapshot(`
    "error: missing required argument 'topic'
    hint:  logstore topics list shows the topics that there are
    "
  `);
  expect(remote.code).toBe(2);
});

test("a directory with several topics asks for a name", async () => {
  const several = join(parent, "several");
  await using broker = await Broker.open(several);
  await broker.createTopic({ topic: "orders", partitions: 1 });
  expect(await logstore(["read", "--data", several])).toMatchObject({ stdout: "", code: 0 });
  await broker.createTopic({ topic: "payments", partitions: 1 });
  const { stderr, code } = await logstore(["read", "--data", several]);
  expect(stderr.replaceAll(several, "./data")).toMatchInlineSnapshot(`
    "error: name a topic: ./data has 2 topics
    hint:  logstore topics list shows the topics that there are
    "
  `);
  expect(code).toBe(2);
});
