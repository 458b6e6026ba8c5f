import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logstore, normalised } from "./command.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

let served: ServedBroker;
let directory: string;
const run = (args: readonly string[]) => logstore(args, { env: { LOGSTORE_SERVER: served.address } });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "logstore-snapshots-"));
  served = await serveBroker(directory);
});

afterAll(async () => {
  await served.close();
  await rm(directory, { recursive: true });
});

test("snapshots are created, listed, restored and deleted", async () => {
  await served.broker.createTopic({ topic: "orders", partitions: 1 });
  await served.broker.topic("orders").append("key", "value");
  expect((await run(["snapshots", "create", "orders", "monday"])).stdout).toMatch(
    /^snapshot monday of orders: 1 record, /,
  );
  const sizes = (output: string) => output.replaceAll(/\d+ B/g, "100 B");
  expect(sizes(normalised((await run(["snapshots", "list"])).stdout))).toMatchInlineSnapshot(`
    "TOPIC   SNAPSHOT  CREATED                   PARTITIONS  RECORDS  SIZE
    orders  monday    2026-01-01 00:00:00.000Z           1        1  100 B
    "
  `);
  await run(["snapshots", "restore", "orders", "monday", "restored"]);
  expect((await served.broker.describeTopic("restored")).partitions[0]).toMatchObject({ highWatermark: 1 });
  expect(await run(["snapshots", "delete", "orders", "monday"])).toMatchObject({ code: 6 });
  expect(await run(["snapshots", "delete", "orders", "monday", "--yes"])).toMatchObject({ code: 0 });
  expect(await served.broker.listSnapshots()).toEqual([]);
});
