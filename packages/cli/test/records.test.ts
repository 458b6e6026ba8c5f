import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@logstore/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InterruptedError } from "../src/interrupts.js";
import { logstore, start } from "./command.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

let served: ServedBroker;
let directory: string;
const run = (args: readonly string[], input: string | Uint8Array = "") =>
  logstore(args, { env: { LOGSTORE_SERVER: served.address }, input });
const values = (stdout: string) => stdout.trimEnd().split("\n");
const parsed = (stdout: string) => values(stdout).map((line) => JSON.parse(line));

/** Timestamp of the first record of a partition; the others follow at intervals of one second. */
const START = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "logstore-records-"));
  served = await serveBroker();
  await served.broker.createTopic({ topic: "orders", partitions: 2 });
  const client = connect(served.broker);
  const producer = client.producer("orders");
  for (let i = 0; i < 10; i++) {
    const headers = i === 3 ? [{ name: "trace", value: "t3" }] : [];
    const value = JSON.stringify({ id: i, amount: i * 10 });
    await producer.send({ partition: i % 2, key: `customer-${i % 3}`, value, timestamp: START + i * 1000, headers });
  }
  await client.close();
});

afterAll(async () => {
  await served.close();
  await rm(directory, { recursive: true });
});

test("partitions are merged by time; records are JSON in a pipe, statistics are on stderr", async () => {
  const { stdout, stderr, code } = await run(["read", "orders"]);
  expect(parsed(stdout).map(({ value }) => JSON.parse(value).id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(values(stdout)[3]).toBe(
    '{"topic":"orders","partition":1,"offset":1,"timestamp":1767225603000,"key":"customer-0","value":"{\\"id\\":3,\\"amount\\":30}","headers":[{"name":"trace","value":"t3"}]}',
  );
  expect(stderr).toMatch(/^10 records, \d+ B in .*\n$/);
  expect(code).toBe(0);
});

test("text, hex and format strings", async () => {
  const text = await run(["read", "orders", "--format", "text", "--count", "4", "--quiet"]);
  expect(text).toMatchInlineSnapshot(`
    {
      "code": 0,
      "stderr": "",
      "stdout": "0:0  2026-01-01 00:00:00.000Z  customer-0  {"id":0,"amount":0}
    1:0  2026-01-01 00:00:01.000Z  customer-1  {"id":1,"amount":10}
    0:1  2026-01-01 00:00:02.000Z  customer-2  {"id":2,"amount":20}
    1:1  2026-01-01 00:00:03.000Z  customer-0  trace=t3  {"id":3,"amount":30}
    ",
    }
  `);
  expect((await run(["read", "orders", "--format", "hex", "--count", "1", "-q"])).stdout).toMatchInlineSnapshot(`
    "0:0  2026-01-01 00:00:00.000Z  customer-0
    00000000  7b 22 69 64 22 3a 30 2c  22 61 6d 6f 75 6e 74 22  |{"id":0,"amount"|
    00000010  3a 30 7d                                          |:0}|
    "
  `);
  const template = "%t/%p@%o %k=%v (%S) %d %h%%\\n";
  const { stdout } = await run(["read", "orders", "--format-string", template, "--key", "customer-0", "-n", "2", "-q"]);
  expect(stdout).toMatchInlineSnapshot(`
    "orders/0@0 customer-0={"id":0,"amount":0} (19) 2026-01-01T00:00:00.000Z %
    orders/1@1 customer-0={"id":3,"amount":30} (20) 2026-01-01T00:00:03.000Z trace=t3%
    "
  `);
});

test("from and until are offsets, records before the end, or times", async () => {
  const ids = async (...args: string[]) =>
    values((await run(["read", "orders", "--format-string", "%p:%o\\n", "-q", ...args])).stdout);
  expect(await ids("--partitions", "1", "--from", "2", "--until", "4")).toEqual(["1:2", "1:3"]);
  expect(await ids("--from", "-1")).toEqual(["0:4", "1:4"]);
  expect(await ids("--until", "-4")).toEqual(["0:0", "1:0"]);
  expect(await ids("--from", "-1h", "--count", "1")).toEqual(["0:0"]); // `--from` refers to the append time
  const none = await run(["read", "orders", "--until", "2020-01-01"]);
  expect(none).toMatchObject({ stdout: "", code: 0 });
});

test("filters say what matched, also where nothing did", async () => {
  const expression = ["read", "orders", "--filter", "value.amount > 70 && key !== 'customer-0'", "--json-values"];
  const some = await run(expression);
  expect(parsed(some.stdout).map(({ value }) => value.id)).toEqual([8]);
  expect(some.stderr).toMatch(/^1 of 10 records matched, /);
  const none = await run(["read", "orders", "--grep", "amount.:7$"]);
  expect(none.stderr).toMatch(/^none of 10 records matched --grep amount\.:7\$, /);
  const failing = await run(["read", "orders", "--filter", "value.customer.name"]);
  expect(failing.stderr).toMatch(/^warning: the expression failed at 10 records, first at 0:0: Cannot read/);
  const wrong = await run(["read", "orders", "--filter", "value >"]);
  expect(wrong).toMatchObject({ stdout: "", code: 2 });
});

test("what is read can be produced again, byte for byte", async () => {
  await served.broker.createTopic({ topic: "bytes", partitions: 1 });
  const value = Uint8Array.from({ length: 256 }, (_, i) => i);
  const file = join(directory, "value.bin");
  await writeFile(file, value);
  const header = ["--header", "kind=test"];
  expect(await run(["produce", "bytes", "--input", "file", "--key", "a key", ...header, file])).toMatchObject({
    code: 0,
  });
  const { stdout: json } = await run(["read", "bytes"]);
  const produced = await run(["produce", "again", "--create", "--input", "records", "--json"], json);
  expect(JSON.parse(produced.stdout)).toEqual({
    topic: "again",
    records: 1,
    bytes: 261,
    partitions: [{ partition: 0, records: 1, firstOffset: 0, lastOffset: 0 }],
  });
  expect((await run(["read", "again"])).stdout).toBe(json.replace('"bytes"', '"again"'));
});

test("produce --input records reads records as an import does, and values that are JSON", async () => {
  await served.broker.createTopic({ topic: "fields", partitions: 1 });
  const produce = (line: object) => run(["produce", "fields", "--input", "records"], `${JSON.stringify(line)}\n`);
  const time = "2026-11-27T21:00:00.000Z";
  expect(await produce({ value: { a: 1 }, timestamp: time, headers: { kind: "b" } })).toMatchObject({ code: 0 });
  expect(await produce({ value: null })).toMatchObject({ code: 0 });
  const { stdout } = await run(["read", "fields"]);
  const [first, second] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(first).toMatchObject({
    value: '{"a":1}',
    timestamp: Date.parse(time),
    headers: [{ name: "kind", value: "b" }],
  });
  expect(second).toMatchObject({ key: null, value: "null" });
  const refused: [object, string][] = [
    [{ valueBase64: "%%" }, 'line 1 of stdin: "valueBase64" is not base64: "%%"; 0 records appended'],
    [{ value: "a", valueBase64: "aaaa" }, '"value" and "valueBase64" exclude each other'],
    [{ value: "a", headers: 3 }, '"headers" must be a list'],
    [{ value: "a", partition: "0" }, '"partition" must be a whole number'],
    [{ key: 1, value: "a" }, '"key" must be a string, not 1'],
    [["a"], "a record is an object such as"],
    [{ key: "k" }, 'there is no "value"'],
  ];
  for (const [line, problem] of refused) {
    expect(await produce(line)).toMatchObject({ code: 2, stderr: expect.stringContaining(problem) });
  }
});

test("lines are records; the first that is refused ends it, and what came before is counted", async () => {
  await served.broker.createTopic({ topic: "lines", partitions: 1 });
  const first = await run(["produce", "lines"], "one\n\nthree");
  expect(first.stdout).toMatchInlineSnapshot(`
    "3 records, 8 B, appended to lines
    PARTITION  RECORDS  FIRST OFFSET  LAST OFFSET
            0        3             0            2
    "
  `);
  const separated = await run(["produce", "lines", "--key-separator", ":"], "a:1\nb:2:3\nno key\nc:4\n");
  expect(separated).toMatchObject({ code: 2, stdout: "" });
  expect(separated.stderr).toContain('line 3 of stdin: it has no ":" to separate its key from its value; 2 records');
  const shown = await run(["read", "lines", "--format-string", "[%k|%v]", "-q"]);
  expect(shown.stdout).toBe("[|one][|][|three][a|1][b|2:3]");
  const unknown = await run(["produce", "nothing"], "one\n");
  expect(unknown).toMatchObject({ code: 3, stdout: "" });
});

test("Ctrl-C ends produce once what was sent is acknowledged and counted", async () => {
  await served.broker.createTopic({ topic: "slow", partitions: 1 });
  const stop = new AbortController();
  const running = logstore(["produce", "slow", "--rate", "100", "--json"], {
    env: { LOGSTORE_SERVER: served.address },
    input: "line\n".repeat(10_000),
    signal: stop.signal,
  });
  const appended = async () => (await served.broker.describeTopic("slow")).partitions[0]!.highWatermark;
  while ((await appended()) < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  stop.abort(new InterruptedError("SIGINT", 130));
  const { stdout, code } = await running;
  expect(code).toBe(130);
  expect(JSON.parse(stdout).records).toBe(await appended());
});

test("tail shows what is there and what comes, and Ctrl-C ends it well", async () => {
  await served.broker.createTopic({ topic: "live", partitions: 2 });
  const client = connect(served.broker);
  const producer = client.producer("live");
  await producer.send({ partition: 0, value: "before" });
  const child = start(["tail", "live", "--format", "value"], { LOGSTORE_SERVER: served.address });
  let output = "";
  const seen = async (text: string) => {
    while (!output.includes(text)) await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
  };
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  await seen("before");
  await producer.send({ partition: 1, value: "after" });
  await seen("after");
  child.kill("SIGINT");
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, output }).toEqual({ code: 0, output: "before\nafter\n" });
  await client.close();
});

test("a reader of the output that goes away ends it silently", async () => {
  const child = start(["tail", "orders"], { LOGSTORE_SERVER: served.address });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const client = connect(served.broker);
  const closed = new Promise((resolve) => child.once("close", resolve));
  let isOver = false;
  void closed.then(() => {
    isOver = true;
  });
  while (!isOver) {
    await client.append("orders", 0, [{ value: "{}" }]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await closed).toBe(0);
  expect(stderr).not.toContain("EPIPE");
  await client.close();
});
