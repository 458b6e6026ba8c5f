import { connect, json, type LogApi, type LogStoreError } from "@logstore/client";
import { powerCutOutcomes } from "@logstore/core/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { NotCaughtUpError, type TestBroker, testBroker } from "./index.js";

const ORDERS = [
  { key: "a", value: { amount: 1 } },
  { key: "b", value: { amount: 2 } },
  { key: "a", value: { amount: 3 } },
];

/** A member that adds up amounts, until the broker is closed. */
function startBilling(broker: TestBroker, group = "billing"): number[] {
  const amounts: number[] = [];
  const consumer = broker.client.consumer({
    group,
    topics: ["orders"],
    value: json<{ amount: number }>(),
    commitIntervalMs: 10,
  });
  void consumer.run({ eachRecord: ({ value }) => void amounts.push(value.amount) });
  return amounts;
}

test("produces fixtures and reads them back", async () => {
  await using broker = await testBroker({ topics: { orders: 4 } });
  const acks = await broker.produce("orders", ORDERS);
  expect(acks.map(({ durability }) => durability)).toEqual(["flushed", "flushed", "flushed"]);
  expect(acks[2]).toMatchObject({ partition: acks[0]!.partition, offset: acks[0]!.offset + 1 });
  const text = await broker.read("orders");
  expect(text.map(({ key, value }) => `${key} ${value}`).toSorted()).toEqual([
    'a {"amount":1}',
    'a {"amount":3}',
    'b {"amount":2}',
  ]);
  const values = await broker.read("orders", { value: json<{ amount: number }>() });
  expect(values.reduce((sum, { value }) => sum + value.amount, 0)).toBe(6);
});

test("records are read in the order of partitions and offsets; strings and bytes are written as they are", async () => {
  await using broker = await testBroker({ topics: { orders: { partitions: 3, durability: "written" } } });
  const values = ["text", new TextEncoder().encode("bytes"), 3, null, true];
  await broker.produce(
    "orders",
    values.map((value, i) => ({ value, partition: (2 * i) % 3 })),
  );
  const found = await broker.read("orders");
  expect(found.map(({ partition, offset, value }) => [partition, offset, value])).toEqual([
    [0, 0, "text"],
    [0, 1, "null"],
    [1, 0, "3"],
    [2, 0, "bytes"],
    [2, 1, "true"],
  ]);
  expect(await broker.read("orders", { from: "latest" })).toEqual([]);
});

test("waits until a group has caught up, and says what is left if it does not", async () => {
  await using broker = await testBroker({ topics: { orders: 2 } });
  const waiting = broker.caughtUp("billing"); // before the group exists
  await broker.produce("orders", ORDERS);
  const amounts = startBilling(broker);
  expect(await waiting).toMatchObject({ group: "billing", state: "stable" });
  expect(amounts.toSorted()).toEqual([1, 2, 3]);

  await expect(broker.caughtUp("nobody", { timeoutMs: 20 })).rejects.toThrow("no member has joined it");
  const stuck = broker.client.consumer({ group: "stuck", topics: ["orders"] });
  const stopped = stuck.run({ retry: { attempts: Number.POSITIVE_INFINITY }, eachRecord: () => Promise.reject("no") });
  const error = await broker.caughtUp("stuck", { timeoutMs: 300 }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(NotCaughtUpError);
  expect((error as Error).message).toMatch(/orders\/[01] has \d records left \(committed nothing of \d\).*1 members/);
  await stuck.close({ timeoutMs: 0 });
  await stopped;
});

describe("crashes", () => {
  test.each(powerCutOutcomes)("what was acknowledged survives a power cut: %s", async (outcome) => {
    await using broker = await testBroker({ topics: { orders: 2 } });
    await broker.produce("orders", ORDERS);
    const { broker: before, disk } = broker;
    await broker.powerCut(outcome);
    expect(broker.broker).not.toBe(before);
    expect(broker.disk).not.toBe(disk);
    expect(await broker.read("orders")).toHaveLength(3);
  });

  test("what was not flushed may be lost, and survives a kill", async () => {
    await using broker = await testBroker({ topics: { orders: { partitions: 1, durability: "written" } } });
    await broker.produce("orders", ORDERS);
    await broker.kill();
    expect(await broker.read("orders")).toHaveLength(3);
    await broker.produce("orders", ORDERS);
    await broker.powerCut("drop-all");
    expect((await broker.read("orders")).length).toBeLessThan(6);
  });

  test("a producer sends again what the broker acknowledged when it crashed", async () => {
    const restarts: Promise<void>[] = [];
    const committed = () => {
      if (restarts.length === 0) restarts.push(broker.kill());
    };
    // The cache frees the memory of a long batch as soon as it is appended.
    await using broker = await testBroker({ topics: { orders: 1 }, tailCacheBytes: 0, hooks: { committed } });
    await broker.produce("orders", [{ value: "x".repeat(20_000) }, { value: "y" }]);
    await Promise.all(restarts);
    expect((await broker.read("orders")).map(({ value }) => value.length)).toEqual([20_000, 1]);
  });

  test("a group goes on, a producer sends again, and nothing is appended twice", async () => {
    const seed = Math.floor(Math.random() * 1e9);
    await using broker = await testBroker({ topics: { orders: 3 }, seed });
    const amounts = startBilling(broker);
    const tail = broker.client.reader({ topics: ["orders"], value: json<{ amount: number }>() });
    const tailed: number[] = [];
    const tailing = (async () => {
      for await (const { value } of tail) if (tailed.push(value.amount) === 600) break;
    })();
    let crash: (() => Promise<void>) | undefined;
    const restarts: Promise<void>[] = [];
    let unanswered = 0;
    const produce: LogApi["produce"] = async (request) => {
      const answer = broker.api.produce(request);
      answer.catch(() => unanswered++);
      const now = crash;
      crash = undefined;
      if (now === undefined) return answer;
      for (let i = 0; i < 3; i++) await undefined; // the append has begun
      restarts.push(now());
      return answer;
    };
    await using client = connect({ ...broker.api, produce });
    const producer = client.producer("orders", { value: json<{ amount: number }>() });
    const sends: Promise<unknown>[] = [];
    for (let amount = 0; amount < 600; amount++) {
      sends.push(producer.send({ key: String(amount % 50), value: { amount } }));
      if (amount % 20 === 0) await sends.at(-1);
      if (amount % 200 === 110) crash = () => (amount === 310 ? broker.kill() : broker.powerCut());
    }
    await Promise.all([...sends, ...restarts]);
    expect(restarts).toHaveLength(3);
    expect(unanswered, `seed ${seed}`).toBeGreaterThanOrEqual(3);
    await broker.caughtUp("billing");
    await tailing;
    const all = Array.from({ length: 600 }, (_, amount) => amount);
    expect(
      tailed.toSorted((a, b) => a - b),
      `seed ${seed}`,
    ).toEqual(all);
    // Delivery is at least once.
    expect(
      [...new Set(amounts)].toSorted((a, b) => a - b),
      `seed ${seed}`,
    ).toEqual(all);
    expect(await broker.read("orders")).toHaveLength(600);
  });

  test("calls wait until the broker is there again", async () => {
    await using broker = await testBroker({ topics: { orders: 1 } });
    const restarting = broker.powerCut();
    const calls = Promise.all([broker.client.listTopics(), broker.produce("orders", ORDERS), broker.read("orders")]);
    await restarting;
    expect((await calls)[0]).toMatchObject([{ topic: "orders" }]);
  });
});

describe("restarts", () => {
  test("restarts that overlap come one after another, and nothing is lost between them", async () => {
    await using broker = await testBroker({ topics: { orders: 1 } });
    const first = broker.kill();
    const produced = broker.produce("orders", ORDERS);
    await Promise.all([first, broker.powerCut(), broker.kill(), produced]);
    const { partitions } = await broker.broker.describeTopic("orders");
    expect(partitions).toMatchObject([{ highWatermark: 3 }]);
    expect(await broker.read("orders")).toHaveLength(3);
  });

  test("an outcome that does not exist is refused, and nothing is restarted", async () => {
    await using broker = await testBroker({ topics: { orders: 1 } });
    const before = broker.broker;
    const refused = broker.powerCut("drop-everything" as never);
    await expect(refused).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(broker.broker).toBe(before);
    expect(await broker.read("orders")).toEqual([]);
  });

  test("close waits for a restart, and none follows", async () => {
    const broker = await testBroker();
    const restarting = broker.kill();
    await broker.close();
    await restarting;
    await expect(broker.api.allocateProducerId()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(broker.kill()).rejects.toMatchObject({ code: "CLOSED" });
  });

  test.each(["leave", "return"])("a member that leaves meanwhile does not join: %s", async (how) => {
    await using broker = await testBroker({ topics: { orders: 1 } });
    const restarting = broker.kill();
    const membership = broker.api.joinGroup({ group: "g", topics: ["orders"] });
    const events = membership[Symbol.asyncIterator]();
    const first = events.next();
    await (how === "leave" ? membership.leave() : events.return?.());
    await restarting;
    expect(await broker.client.listGroups()).toEqual([]);
    expect(await first).toMatchObject({ done: true });
    expect(await events.next()).toMatchObject({ done: true });
  });
});

test("the disk fails as the test says, and the broker is closed all the same", async () => {
  await using broker = await testBroker({ topics: { orders: 1 } });
  broker.disk.failAt(1, "failed-sync");
  const failure = await broker.produce("orders", ORDERS).catch((error: LogStoreError) => error);
  expect(failure).toMatchObject({ code: "STORAGE_FAILED" });
});

test("the clock is Date's, also if that is a fake one", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000 });
  onTestFinished(() => void vi.useRealTimers());
  await using broker = await testBroker({
    topics: { orders: { partitions: 1, retentionMs: 60_000, segmentBytes: 4_096 } },
  });
  for (let i = 0; i < 10; i++) await broker.produce("orders", [{ value: "x".repeat(1_000) }]);
  vi.setSystemTime(1_000_000 + 120_000);
  await broker.produce("orders", [{ value: "x".repeat(1_000) }]);
  await broker.broker.topic("orders").applyRetention();
  const left = await broker.read("orders");
  expect(left.length).toBeLessThan(11);
  expect(left.at(-1)).toMatchObject({ offset: 10, timestamp: 1_120_000 });
});

test("options are checked, and nothing stays open", async () => {
  const wrong = (options: object) => expect(testBroker(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await wrong({ topics: { orders: 0 } });
  await wrong({ topics: 4 });
  await wrong({ seed: -1 });
  await wrong({ partitions: 4 });
  await using broker = await testBroker();
  await expect(broker.caughtUp("g", { timeoutMs: Number.NaN })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
});

test("close ends what the test left open", async () => {
  const broker = await testBroker({ topics: { orders: 1 } });
  await broker.produce("orders", ORDERS);
  const consumer = broker.connect().consumer({ group: "g", topics: ["orders"] });
  const run = consumer.run({ eachRecord: () => new Promise(() => {}) }); // the handler never completes
  const loop = Array.fromAsync(broker.client.reader({ topics: ["orders"] }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await broker.close();
  await Promise.allSettled([run, loop]);
  await expect(broker.api.allocateProducerId()).rejects.toMatchObject({ code: "CLOSED" });
});
