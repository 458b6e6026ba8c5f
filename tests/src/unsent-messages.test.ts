/**
 * Messages that wait for their reader are not overwritten, and readers do not block each other. The
 * content of each record identifies it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, GrpcLogApi } from "@logstore/client";
import { frameBatches } from "@logstore/codec";
import { Broker } from "@logstore/core";
import type { LogApi } from "@logstore/protocol";
import { type ServeOptions, serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";
import { checkedReading, type Filling, fill } from "./filled-topic.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Served from disk: the tail cache of the log is empty. */
async function servedTopic(filling: Filling, options: ServeOptions = {}) {
  const broker = await Broker.open(":memory:", { tailCacheBytes: 0, segmentBytes: 3 * MIB });
  onTestFinished(() => broker.close());
  const server = await serve(broker, { port: 0, ...options });
  onTestFinished(() => server.stop());
  const end = await fill(broker, filling);
  const client = connect(server.address);
  onTestFinished(() => client.close());
  const api = new GrpcLogApi(server.address);
  onTestFinished(() => api.close());
  return { end, client, api };
}

test("one consumer of 40 partitions, with batches of the default length", async () => {
  const filling = { partitions: 40, batches: 4, batchBytes: 256 * KIB, recordBytes: 1000 };
  const { end, client } = await servedTopic(filling);
  const assign = { t: Array.from({ length: 40 }, (_, partition) => partition) };
  const { check, ends } = checkedReading(1000);
  for await (const { partition, offset, value } of client.reader({ assign, until: "latest" })) {
    check(partition, offset, value);
  }
  expect(ends()).toEqual(Array(40).fill(end));
});

test.each([300, 900])("a slow reader of batches of %d KiB", async (kib) => {
  const { end, client } = await servedTopic({ partitions: 3, batches: 20, batchBytes: kib * KIB, recordBytes: 10_000 });
  const { check, ends } = checkedReading(10_000);
  for await (const batch of client.reader({ assign: { t: [0, 1, 2] }, until: "latest" }).batches()) {
    await sleep(5);
    for (const { partition, offset, value } of batch) check(partition, offset, value);
  }
  expect(ends()).toEqual([end, end, end]);
});

/** Reads everything with Fetch. */
async function fetchAll(api: LogApi, end: number, recordBytes: number, maxBytes: number): Promise<void> {
  const { check, ends } = checkedReading(recordBytes);
  for (let from = 0; from < end; ) {
    const result = await api.fetch({ topic: "t", partition: 0, from, maxBytes });
    for (const batch of frameBatches(result.batches)) {
      for (const { offset, value } of batch.verify()) if (offset >= from) check(0, offset, value);
    }
    from = result.nextOffset;
  }
  expect(ends()).toEqual([end]);
}

test("600 concurrent fetches, and a reader at the same time", async () => {
  const filling = { partitions: 1, batches: 16, batchBytes: 100 * KIB, recordBytes: 5000 };
  // Where others wait for memory, a response that takes a second is cut off, and this process reads
  // all of them: what is sent at a time is little enough for a busy machine.
  const { api, client, end } = await servedTopic(filling, { sendBudgetBytes: 8 * MIB });
  const request = { topic: "t", partition: 0, maxBytes: 300_000 };
  const fetches = Promise.all(Array.from({ length: 600 }, () => api.fetch(request)));
  fetches.catch(() => {}); // reported below
  const { check, ends } = checkedReading(5000);
  for await (const { offset, value } of client.reader({ assign: { t: [0] }, until: "latest" })) check(0, offset, value);
  expect(ends()).toEqual([end]);
  for (const { nextOffset, batches } of await fetches) {
    expect(nextOffset).toBeGreaterThan(0);
    expect([...frameBatches(batches)].at(-1)!.nextOffset).toBe(nextOffset);
  }
});

test("a fetch for more than the budget of all returns what there is room for", async () => {
  const filling = { partitions: 1, batches: 30, batchBytes: 100 * KIB, recordBytes: 5000 };
  const { api, client, end } = await servedTopic(filling, { sendBudgetBytes: 400 * KIB });
  await fetchAll(api, end, 5000, 4 * MIB);
  // Several fetches and a reader share a budget that is too small for one of them.
  const { check, ends } = checkedReading(5000);
  const fetching = Promise.all(Array.from({ length: 5 }, () => fetchAll(api, end, 5000, 4 * MIB)));
  for await (const { offset, value } of client.reader({ assign: { t: [0] }, until: "latest" })) check(0, offset, value);
  await fetching;
  expect(ends()).toEqual([end]);
});

test("a fetch that waits for data that never comes is answered when others need the room", async () => {
  const filling = { partitions: 1, batches: 4, batchBytes: 100 * KIB, recordBytes: 5000 };
  const { api, end } = await servedTopic(filling, { sendBudgetBytes: 150 * KIB });
  const waiting = api.fetch({
    topic: "t",
    partition: 0,
    from: end - 20,
    minBytes: 4 * MIB,
    maxBytes: 4 * MIB,
    maxWaitMs: 60_000,
  });
  await fetchAll(api, end, 5000, 4 * MIB);
  expect((await waiting).nextOffset).toBe(end);
});
