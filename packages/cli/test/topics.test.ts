import { afterAll, beforeAll, expect, test } from "vitest";
import { logstore, normalised } from "./command.js";
import { type ServedBroker, serveBroker } from "./served-broker.js";

let served: ServedBroker;
const run = (args: readonly string[], env = {}) => logstore(args, { env: { LOGSTORE_SERVER: served.address, ...env } });

beforeAll(async () => {
  served = await serveBroker();
});

afterAll(() => served.close());

test("topics are created, listed, described, altered and deleted", async () => {
  expect(await run(["topics", "create", "orders", "--partitions", "3", "--retention", "7d"])).toEqual({
    stdout: "created orders with 3 partitions\n",
    stderr: "",
    code: 0,
  });
  expect(await run(["topics", "create", "orders", "--partitions", "3", "--if-not-exists"])).toMatchObject({
    stdout: "orders exists already, with 3 partitions\n",
    code: 0,
  });
  const others = await run(["topics", "create", "orders", "--partitions", "4", "--if-not-exists"]);
  expect(others).toMatchObject({ stdout: "", code: 1, stderr: expect.stringContaining("TOPIC_EXISTS") });
  const long = `audit-${"x".repeat(90)}`;
  await served.broker.createTopic({ topic: long, partitions: 1 });
  const wide = await run(["topics", "list", "--sizes"], { COLUMNS: "80" });
  expect(wide.stdout).toMatchInlineSnapshot(`
    "TOPIC                                                        PARTITIONS  RECORDS
    audit-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…           1        0
    orders                                                                3        0
    "
  `);
  expect((await run(["topics", "list"])).stdout).toContain(long); // nothing is truncated in a pipe

  const altered = await run(["topics", "alter", "orders", "--retention", "default", "--segment-size", "4MiB"]);
  expect(altered.stdout).toBe("altered orders: retentionMs, segmentBytes\n");
  expect(normalised((await run(["topics", "describe", "orders"])).stdout)).toMatchInlineSnapshot(`
    "topic           orders
    id              00000000-0000-4000-8000-000000000000
    partitioner     fnv1a-32
    durability      flushed (default)
    retention       no limit (default)
    retention size  no limit (default)
    segment size    4 MiB
    max batch size  16 MiB (default)

    PARTITION  START  END  RECORDS
            0      0    0        0
            1      0    0        0
            2      0    0        0
    "
  `);
  const described = await run(["topics", "describe", "orders", "--json"]);
  expect(JSON.parse(described.stdout)).toMatchObject({ topic: "orders", config: { segmentBytes: 4 * 1024 * 1024 } });

  const refused = await run(["topics", "delete", "orders"]);
  expect(refused).toMatchObject({ stdout: "", code: 6 });
  expect(refused.stderr).toContain("add --yes");
  expect(await run(["topics", "delete", "orders", "nothing", "--yes"])).toMatchObject({ stdout: "", code: 3 });
  expect(await run(["topics", "delete", "orders", long, "--yes"])).toMatchObject({ code: 0 });
  expect(await served.broker.listTopics()).toEqual([]);
});

test("errors say what to do, in text and as JSON", async () => {
  expect((await run(["topics", "describe", "nothing"])).stderr).toMatchInlineSnapshot(`
    "error: there is no topic "nothing": create it first (UNKNOWN_TOPIC)
    hint:  logstore topics list shows the topics that there are
    "
  `);
  const { stderr, stdout, code } = await run(["topics", "describe", "nothing", "--json"]);
  expect({ ...JSON.parse(stderr), stdout, code }).toMatchObject({
    error: { code: "UNKNOWN_TOPIC", topic: "nothing", exitCode: 3 },
    stdout: "",
    code: 3,
  });
});

test("a server that is not there is reported at once, with where its address came from", async () => {
  const { stderr, code } = await run(["topics", "list", "--server", "127.0.0.1:1"]);
  expect(normalised(stderr)).toMatchInlineSnapshot(`
    "error: no server answers: 127.0.0.1:7411 cannot be reached: connect ECONNREFUSED 127.0.0.1:7411 (UNAVAILABLE)
    hint:  the address comes from --server; logstore dev starts a server to play with
    "
  `);
  expect(code).toBe(4);
});

test("the first seed that answers is used", async () => {
  const { code, stderr } = await run(["topics", "list", "--server", `127.0.0.1:1,${served.address}`]);
  expect(stderr).toContain("there are no topics");
  expect(code).toBe(0);
});
