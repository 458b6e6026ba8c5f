/**
 * A client that goes straight to the owners of a cluster, as its owners move, die and cannot be
 * reached.
 */
import { createServer } from "node:net";
import { type LogClient, type Producer, text } from "@logstore/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { MemoryCluster } from "./memory-cluster.ts";

const PATIENCE = { timeout: 60_000, interval: 10 };

/** The values of a partition, as a new client reads them. */
async function valuesOf(client: LogClient, partition = 0): Promise<string[]> {
  const reader = client.reader({ assign: { t: [partition] }, until: "latest", value: text() });
  return (await Array.fromAsync(reader)).map(({ value }) => value!);
}

/** Sends without waiting for acknowledgements, until it is stopped; resolves to the values sent. */
function stream(producer: Producer, partition = 0) {
  const sent: string[] = [];
  const acks: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    for (let i = 0; i < 3; i++) {
      const value = `v${sent.length}`;
      sent.push(value);
      acks.push(producer.send({ value, partition }));
    }
  }, 1);
  return {
    sent,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(acks);
      return sent;
    },
  };
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("appends", () => {
  test("go straight to the owner", async () => {
    const cluster = await MemoryCluster.start(["a", "b", "c"], ["a", "b", "c"]);
    const client = cluster.client(["a"]);
    const producer = client.producer("t");
    for (let i = 0; i < 30; i++) await producer.send({ value: `v${i}`, partition: i % 3 });
    for (const { calls } of cluster.members) expect(calls.produce).toBe(10);
    const { offset } = await client.append("t", 2, [{ value: "x" }], { expectedOffset: 10 });
    expect(offset).toBe(10);
    expect(cluster.member("a").calls.produce).toBe(10);
  });

  test("follow a partition that moves while they are in flight", async () => {
    const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
    let inFlight = 0;
    let most = 0;
    for (const member of cluster.members) {
      member.beforeProduce = async () => {
        most = Math.max(most, ++inFlight);
        await later(4);
        inFlight--;
      };
    }
    const client = cluster.client(["a"]);
    const { stop } = stream(client.producer("t", { batchBytes: 100 }));
    for (const owner of ["c", "a", "b", "", "c", "b"]) {
      cluster.move(0, owner);
      if (owner === "") continue;
      const { calls } = cluster.member(owner);
      const before = calls.produce;
      await expect.poll(() => calls.produce, PATIENCE).toBeGreaterThan(before + 4);
    }
    const sent = await stop();
    expect(most).toBeGreaterThan(1);
    expect(await valuesOf(client)).toEqual(sent);
  });

  test("do not overtake one that the former owner still has", async () => {
    const cluster = await MemoryCluster.start(["a", "b"], ["a", "b"]);
    const client = cluster.client(["b"]);
    const producer = client.producer("t", { lingerMs: 0 });
    // Both owners are connected.
    for (const partition of [0, 1]) await producer.send({ value: "first", partition });
    const gate = Promise.withResolvers<void>();
    const a = cluster.member("a");
    a.beforeProduce = () => gate.promise;
    const second = producer.send({ value: "second", partition: 0 });
    await expect.poll(() => a.calls.produce, PATIENCE).toBe(2);
    cluster.move(0, "b", ["b"]);
    await client.describeTopic("t");
    const third = producer.send({ value: "third", partition: 0 });
    const flushed = producer.flush();
    await later(100);
    gate.resolve();
    await Promise.all([second, third, flushed]);
    expect(await valuesOf(client)).toEqual(["first", "second", "third"]);
    expect(cluster.member("b").calls.produce).toBe(2);
  });

  test("go on with the next owner when theirs dies", async () => {
    const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
    const client = cluster.client(["a"]);
    const { sent, stop } = stream(client.producer("t", { batchBytes: 100 }));
    await expect.poll(() => cluster.member("b").calls.produce, PATIENCE).toBeGreaterThan(5);
    await cluster.member("b").stop();
    const before = sent.length;
    await later(300);
    cluster.move(0, "c");
    await expect.poll(() => cluster.member("c").calls.produce, PATIENCE).toBeGreaterThan(5);
    expect(sent.length).toBeGreaterThan(before);
    expect(await stop()).toEqual(await valuesOf(client));
  });

  test("are passed on by a seed where the owner cannot be reached", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await new Promise((resolve) => silent.once("listening", resolve));
    const { port } = silent.address() as { port: number };
    for (const address of [`127.0.0.1:${port}`, "127.0.0.1:1", "not an address"]) {
      const cluster = await MemoryCluster.start(["a", "b"], ["b"]);
      cluster.pretend("b", address);
      const client = cluster.client(["a"]);
      const producer = client.producer("t");
      for (let i = 0; i < 5; i++) await producer.send({ value: `v${i}`, partition: 0 });
      expect(await valuesOf(client)).toEqual(["v0", "v1", "v2", "v3", "v4"]);
      const consumer = client.consumer({ group: "g", topics: ["t"], value: text() });
      for await (const { value } of consumer) if (value === "v4") break;
      await consumer.close();
    }
  });

  test("that wait for an owner end when the client is closed", async () => {
    const cluster = await MemoryCluster.start(["a", "b"], ["b"]);
    const client = cluster.client(["a"]);
    const producer = client.producer("t");
    await producer.send({ value: "v", partition: 0 });
    await cluster.member("b").stop();
    const sending = producer.send({ value: "w", partition: 0 });
    sending.catch(() => {});
    await later(50);
    await client.close({ timeoutMs: 100 });
    await expect(sending).rejects.toThrow();
  });
});

describe("reading", () => {
  test("goes straight to the owner, and follows the partition", async () => {
    const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
    const client = cluster.client(["a"]);
    const producer = client.producer("t");
    const reader = client.reader({ topics: ["t"], value: text() });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { value } of reader) if (seen.push(value!) === 30) return;
    })();
    const sent: string[] = [];
    const send = async () => {
      for (let i = 0; i < 10; i++) await producer.send({ value: `v${sent.push(`v${sent.length}`) - 1}`, partition: 0 });
      await expect.poll(() => seen.length, PATIENCE).toBe(sent.length);
    };
    await send();
    expect(cluster.member("a").calls.consume).toBeLessThan(2); // it told where the owner is
    cluster.move(0, "c");
    await expect.poll(() => cluster.member("c").calls.consume, PATIENCE).toBe(1);
    await send();
    await cluster.member("c").stop();
    cluster.move(0, "b");
    await send();
    await reading;
    expect(seen).toEqual(sent);
    expect(cluster.member("b").calls.consume).toBe(2);
  });
});

describe("a group", () => {
  test("is asked at its coordinator, and followed when that moves or dies", async () => {
    const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
    const client = cluster.client(["a"]);
    const producer = client.producer("t");
    const consumer = client.consumer({ group: "g", topics: ["t"], value: text(), commitIntervalMs: 20 });
    const seen = new Set<string>();
    const reading = (async () => {
      for await (const { value } of consumer) if (seen.add(value!).size === 30) return;
    })();
    let sent = 0;
    const send = async () => {
      for (let i = 0; i < 10; i++) await producer.send({ value: `v${sent++}`, partition: 0 });
      await expect.poll(() => seen.size, PATIENCE).toBe(sent);
    };
    const { calls } = cluster.member("b");
    await send();
    await expect.poll(() => calls.commitOffsets, PATIENCE).toBeGreaterThan(0);
    expect(calls.joinGroup).toBe(1);
    cluster.moveGroups("c");
    await expect.poll(() => cluster.member("c").calls.joinGroup, PATIENCE).toBeGreaterThan(0);
    await send();
    await expect.poll(() => cluster.member("c").calls.commitOffsets, PATIENCE).toBeGreaterThan(0);
    await cluster.member("c").stop();
    cluster.moveGroups("a");
    await send();
    await reading;
    await consumer.close();
    // The loop was left while the last record was being processed.
    expect((await client.describeGroup("g")).partitions).toMatchObject([{ partition: 0, committedOffset: 29 }]);
  });

  test("tells a member where its coordinator is now", async () => {
    const cluster = await MemoryCluster.start(["a", "b"], ["b"]);
    const membership = cluster.member("b").broker.joinGroup({ group: "g", topics: ["t"] });
    const events = membership[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ type: "joined" });
    const ended = (async () => {
      for (;;) if ((await events.next()).done) return;
    })();
    cluster.moveGroups("a");
    await expect(ended).rejects.toMatchObject({ code: "NOT_OWNER", address: cluster.member("a").address });
  });
});
