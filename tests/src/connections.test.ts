/**
 * Clients that need more streams than one connection has, or larger batches than the defaults
 * allow.
 */
import { connect } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { type ServeOptions, serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";

async function served(options: ServeOptions = {}) {
  const broker = await Broker.open(":memory:");
  const server = await serve(broker, { port: 0, onError: () => {}, ...options });
  const client = connect(server.address);
  onTestFinished(async () => {
    await client.close();
    await server.stop();
    await broker.close();
  });
  return { client, broker };
}

test("one consumer reads more partitions than a connection has streams, and other calls of the client proceed", async () => {
  const count = 1_020;
  const { client } = await served();
  await client.createTopic("wide", { partitions: count });
  const partitions = Array.from({ length: count }, (_, partition) => partition);
  // The last ones to be opened, which need a second connection whatever else is open.
  const last = partitions.slice(-25);
  const producer = client.producer("wide");
  await producer.sendMany(last.map((partition) => ({ partition, value: `v${partition}` })));
  const seen = new Set<number>();
  for await (const { partition } of client.reader({ assign: { wide: partitions } })) {
    seen.add(partition);
    if (seen.size < last.length) continue;
    expect(await client.listTopics()).toHaveLength(1);
    expect(await producer.send({ partition: 7, value: "more" })).toMatchObject({ offset: 0 });
    break;
  }
  expect([...seen].sort((a, b) => a - b)).toEqual(last);
});

test("what a server has accepted, its clients can read", async () => {
  const MIB = 2 ** 20;
  const { client, broker } = await served({ maxBatchBytes: 64 * MIB });
  await client.createTopic("large", { partitions: 1, maxBatchBytes: 64 * MIB });
  const value = new Uint8Array(20_000_000).fill(97);
  const builder = new RecordBatchBuilder({ limits: { maxBatchBytes: 64 * MIB, maxRecordsBytes: 64 * MIB } });
  builder.append(null, value, 1);
  await broker.produce({ topic: "large", partition: 0, batches: builder.seal() });
  await client.append("large", 0, [{ value: "after it" }]);
  const lengths: number[] = [];
  for await (const record of client.reader({ assign: { large: [0] }, until: "latest" })) {
    lengths.push(record.value.length);
  }
  expect(lengths).toEqual([20_000_000, 8]);
});

test("a batch that decompresses to more than the default limit is read if the server accepts it", async () => {
  const MIB = 2 ** 20;
  const { client, broker } = await served({ maxBatchBytes: 64 * MIB });
  await client.createTopic("packed", { partitions: 1, maxBatchBytes: 100 * MIB });
  const limits = { maxBatchBytes: 100 * MIB, maxRecordsBytes: 100 * MIB };
  const builder = new RecordBatchBuilder({ limits, targetBytes: 100 * MIB, compression: "zstd" });
  for (let i = 0; i < 9; i++) builder.append(null, new Uint8Array(8 * MIB), 1);
  await broker.produce({ topic: "packed", partition: 0, batches: builder.seal() });
  let count = 0;
  for await (const _ of client.reader({ assign: { packed: [0] }, until: "latest" })) count++;
  expect(count).toBe(9);
});
