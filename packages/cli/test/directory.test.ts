import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker } from "@logstore/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logstore, normalised } from "./command.js";

let directory: string;
let writer: Broker;
const run = (args: readonly string[]) => logstore(args, { env: { LOGSTORE_DATA: directory } });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "logstore-directory-"));
  writer = await Broker.open(directory);
  await writer.createTopic({ topic: "orders", partitions: 2, config: { retentionMs: 3_600_000 } });
  await writer.topic("orders").append("customer-7", "hello");
  await writer.commitOffsets({ group: "billing", offsets: [{ topic: "orders", partition: 0, offset: 0 }] });
});

afterAll(async () => {
  await writer.close();
  await rm(directory, { recursive: true });
});

test("a data directory is looked at while its broker writes, and nothing in it is changed", async () => {
  const files = await readdir(directory, { recursive: true });
  expect((await run(["topics", "list", "--sizes"])).stdout).toMatchInlineSnapshot(`
    "TOPIC   PARTITIONS  RECORDS
    orders           2        1
    "
  `);
  expect(normalised((await run(["topics", "describe", "orders"])).stdout)).toMatchInlineSnapshot(`
    "topic           orders
    id              00000000-0000-4000-8000-000000000000
    partitioner     fnv1a-32
    durability      set by the writer
    retention       1 h
    retention size  set by the writer
    segment size    set by the writer
    max batch size  set by the writer

    PARTITION  START  END  RECORDS
            0      0    0        0
            1      0    1        1
    "
  `);
  expect((await run(["read", "orders", "--format-string", "%k %v\\n", "-q"])).stdout).toBe("customer-7 hello\n");
  expect((await run(["groups", "lag", "--json"])).stdout).toMatch(/^{"group":"billing","topic":"orders",/);
  expect((await run(["snapshots", "list"])).stderr).toContain("there are no snapshots at");
  expect(await readdir(directory, { recursive: true })).toEqual(files);
});

test("what would change it is refused, with what to do", async () => {
  const { code, stderr } = await run(["topics", "delete", "orders", "--yes"]);
  expect(stderr.replaceAll(directory, "DIRECTORY")).toMatchInlineSnapshot(`
    "error: DIRECTORY is open read-only: make the change through the server or program that writes to it (INVALID_ARGUMENT)
    "
  `);
  expect(code).toBe(2);
});

test("a directory that is none is an error", async () => {
  const { code, stderr } = await logstore(["topics", "list", "--data", join(directory, "topics")]);
  expect(stderr).toMatch(/NOT_A_LOG_STORE/);
  expect(code).toBe(3);
});
