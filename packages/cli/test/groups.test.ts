import {
  connect,
  type LogClient,
  type ResetOffsets,
  type ResetOffsetsRequest,
  text,
  UnavailableError,
} from "@logstore/client";
import type { Broker } from "@logstore/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run as reset } from "../src/commands/groups/reset.js";
import { applyReset } from "../src/commands/groups/reset-apply.js";
import type { PlannedReset } from "../src/commands/groups/reset-plan.js";
import { logstore, normalised } from "./command.js";
import { runIn } from "./in-process.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

let served: ServedBroker;
const run = (args: readonly string[], env = {}) => logstore(args, { env: { LOGSTORE_SERVER: served.address, ...env } });

/** A group that has read 40 of 50 records of each of two partitions. */
beforeAll(async () => {
  served = await serveBroker();
  await served.broker.createTopic({ topic: "orders", partitions: 2 });
  const client = connect(served.broker);
  for (const partition of [0, 1]) {
    await client.append(
      "orders",
      partition,
      Array.from({ length: 50 }, (_, i) => ({ value: String(i) })),
    );
  }
  const consumer = client.consumer({ group: "billing", topics: ["orders"], value: text(), commit: "manual" });
  const reached = new Set<number>();
  for await (const { partition, offset } of consumer) {
    if (offset === 39) {
      await consumer.commit("orders", partition, 40);
      reached.add(partition);
    }
    if (reached.size === 2) break;
  }
  await consumer.close({ leave: true });
  await client.close();
});

afterAll(() => served.close());

const committed = async () =>
  (await served.broker.fetchOffsets("billing")).map(({ partition, offset }) => [partition, offset]);

/** Without the time since a record was appended; in a table it is aligned to the right. */
const withoutAges = (output: string) =>
  normalised(output).replaceAll(/( {2,})?\d+(\.\d)? m?s/g, (age, spaces) =>
    spaces === undefined ? "0 s" : "0 s".padStart(age.length),
  );

test("groups are listed and described, with their lag", async () => {
  expect((await run(["groups", "list"])).stdout).toMatchInlineSnapshot(`
    "GROUP    STATE  MEMBERS
    billing  empty        0
    "
  `);
  expect(withoutAges((await run(["groups", "describe", "billing"])).stdout)).toMatchInlineSnapshot(`
    "group     billing
    state     empty
    assignor  sticky
    epoch     2
    lag       20 records, waiting for 0 s

    TOPIC   PARTITION  COMMITTED  END  LAG  WAITING  MEMBER
    orders          0         40   50   10      0 s  -
    orders          1         40   50   10      0 s  -
    "
  `);
  expect(withoutAges((await run(["groups", "lag"])).stdout)).toMatchInlineSnapshot(`
    "GROUP    TOPIC   PARTITIONS  UNOWNED  MEMBERS  LAG  WAITING
    billing  orders           2        2        0   20      0 s
    "
  `);
});

test("a reset is shown first, and refused at once where nobody can confirm it", async () => {
  const refused = await run(["groups", "reset", "billing", "--to", "earliest"]);
  expect(refused.stdout).toMatchInlineSnapshot(`
    "TOPIC   PARTITION  COMMITTED  NEW  CHANGE  LAG AFTER
    orders          0         40    0     -40         50
    orders          1         40    0     -40         50
    "
  `);
  expect(refused.stderr).toMatchInlineSnapshot(`
    "error: nothing was changed: this needs a confirmation, and there is no terminal to ask at (UNCONFIRMED)
    hint:  add --yes to do what is shown, or --dry-run to only look
    "
  `);
  expect(refused.code).toBe(6);
  expect((await run(["groups", "reset", "billing", "--shift", "5", "--dry-run"])).stderr).toBe(
    "2 offsets would change\n",
  );
  expect(await committed()).toEqual([
    [0, 40],
    [1, 40],
  ]);
});

test("many partitions are reset at once, to an offset, a shift, records before the end or a time", async () => {
  const reset = async (...args: string[]) => {
    const { code, stderr } = await run(["groups", "reset", "billing", "--yes", ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return (await committed()).map(([, offset]) => offset);
  };
  expect(await reset("--to", "7")).toEqual([7, 7]);
  expect(await reset("--shift", "-3")).toEqual([4, 4]);
  expect(await reset("--to", "-10", "--partitions", "1")).toEqual([4, 40]);
  expect(await reset("--to", "latest")).toEqual([50, 50]);
  expect(await reset("--to", "-1h")).toEqual([0, 0]);
});

test("a topic that the group never read gets offsets, too", async () => {
  await served.broker.createTopic({ topic: "refunds", partitions: 1 });
  const { stdout } = await run([
    "groups",
    "reset",
    "billing",
    "--topic",
    "refunds",
    "--to",
    "latest",
    "--yes",
    "--json",
  ]);
  expect(JSON.parse(stdout)).toEqual({ group: "billing", topic: "refunds", partition: 0, to: 0, done: true });
});

test("a reset that fails says which offsets are reset, which may be, and which are not", async () => {
  await served.broker.createTopic({ topic: "returns", partitions: 3 });
  const client = connect(served.broker);
  await client.append("orders", 1, [{ value: "51" }]); // the partitions end at different offsets
  await client.close();
  const resets: ResetOffsetsRequest[] = [];
  const broker = Object.create(served.broker) as Broker;
  for (const name of ["describeGroup", "describeTopic", "listOffsets"] as const) {
    broker[name] = served.broker[name].bind(served.broker) as never;
  }
  broker.resetOffsets = async (request) => {
    if (resets.push(request) === 2) throw new UnavailableError("the server is gone");
    return served.broker.resetOffsets(request);
  };
  const options = { to: { type: "beforeEnd", records: 10 }, topic: ["orders", "returns"], yes: true };
  const failed = await runIn({ broker }, reset, options, "billing");
  expect(failed).toMatchObject({
    code: 4,
    stderr: expect.stringContaining(
      "the server is gone (1 offset of group billing is reset: orders 0; 1 may be: orders 1; 3 are not: returns 0-2)",
    ),
  });
  expect((await committed()).slice(0, 2)).toEqual([
    [0, 40],
    [1, 0],
  ]);
  resets.length = 0;
  const { stdout } = await runIn({ broker, json: true }, reset, options, "billing");
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly done: boolean | null });
  expect(rows.map(({ done }) => done)).toEqual([true, null, false, false, false]);
});

test("a request resets no more partitions than the client sends at once", async () => {
  const plans = Array.from({ length: 4001 }, (_, partition) => ({ topic: "wide", partition }) as PlannedReset);
  const sizes: number[] = [];
  const client = {
    resetOffsets: async (_: string, { partitions }: ResetOffsets) => {
      sizes.push(partitions!.length);
      if (sizes.length === 2) throw new Error("gone");
      return partitions;
    },
  } as unknown as LogClient;
  const outcome = await applyReset(client, "billing", plans, { type: "edge", edge: "latest" });
  expect(sizes).toEqual([2000, 2000]);
  expect([outcome.done, outcome.unknown, outcome.left].map((some) => some.length)).toEqual([2000, 2000, 1]);
});

test("groups are deleted", async () => {
  expect(await run(["groups", "delete", "billing"])).toMatchObject({ code: 6, stdout: "" });
  expect(await run(["groups", "delete", "billing", "--yes"])).toMatchObject({
    code: 0,
    stdout: "deleted group billing\n",
  });
  expect(await served.broker.listGroups()).toEqual([]);
});

test("parked records are listed, shown, dropped and replayed", async () => {
  const client = connect(served.broker);
  await client.createTopic("jobs", { partitions: 1 });
  await client.append(
    "jobs",
    0,
    ["a", "b", "c", "d"].map((key) => ({ key, value: `job ${key}` })),
  );
  const consumer = client.consumer({ group: "workers", topics: ["jobs"], value: text() });
  let failed = 0;
  await consumer.run({
    concurrency: 1,
    retry: { attempts: 1 },
    eachRecord: async ({ offset }) => {
      if (offset === 3) void consumer.close();
      else if (++failed) throw new Error(`no printer for job ${offset}`);
    },
  });
  expect(failed).toBe(3);
  await client.close();

  expect((await run(["parked", "list"])).stdout).toMatchInlineSnapshot(`
    "PARKED TOPIC         RECORDS
    jobs.workers.parked        3
    "
  `);
  expect(
    normalised((await run(["parked", "list", "jobs", "workers"], { COLUMNS: "80" })).stdout),
  ).toMatchInlineSnapshot(`
    "AT  FROM  PARKED                    TRIES  KEY  REASON
     0  0:0   2026-01-01 00:00:00.000Z      1  a    no printer for job 0
     1  0:1   2026-01-01 00:00:00.000Z      1  b    no printer for job 1
     2  0:2   2026-01-01 00:00:00.000Z      1  c    no printer for job 2
    "
  `);
  expect(normalised((await run(["parked", "show", "jobs", "workers", "1"])).stdout)).toMatchInlineSnapshot(`
    "from    jobs, partition 0, offset 1
    time    2026-01-01 00:00:00.000Z
    parked  2026-01-01 00:00:00.000Z, after 1 attempt
    reason  no printer for job 1
    key     b

    job b
    "
  `);
  expect(await run(["parked", "drop", "jobs", "workers", "--key", "a"])).toMatchObject({ code: 6 });
  const dropped = await run(["parked", "drop", "jobs", "workers", "--key", "a", "--yes"]);
  expect(dropped.stdout).toBe("dropped 1 record; 2 records stay parked\n");
  const replayed = await run(["parked", "replay", "jobs", "workers"]);
  expect(replayed.stdout).toBe("replayed 2 records to jobs\n");
  const { highWatermark } = (await served.broker.describeTopic("jobs")).partitions[0]!;
  expect(highWatermark).toBe(6);
  expect((await run(["parked", "list", "jobs", "workers"])).stderr).toContain("has parked nothing");
});
